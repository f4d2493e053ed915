import assert from 'node:assert/strict';
import { assertRejected, fields, file, seen, sendForm } from '../helpers/direct-steps.ts';
import { mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;

interface Case {
  readonly mode?: string;
  readonly channel?: string;
  readonly isGroupSms?: string;
  readonly fileSize: number;
  /** FORWARD_MAX_BYTES, where it is not the default of 5 MiB. */
  readonly forwardMax?: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a size that no way takes is given; `use` only where direct would carry it. */
const TOO_LARGE: readonly Case[] = [
  { fileSize: 5 * MIB + 1, details: { limit: 5 * MIB, channel: 'SMS' } },
  { channel: 'email', fileSize: 6 * MIB, details: { limit: 5 * MIB, channel: 'EMAIL' } },
  { channel: 'WHATSAPP', fileSize: 100 * MIB + 1, details: { limit: 100 * MIB, channel: 'WHATSAPP' } },
  { forwardMax: 10 * MIB, fileSize: 11 * MIB, details: { limit: 10 * MIB, channel: 'SMS' } },
  { forwardMax: MIB, fileSize: 6 * MIB, details: { limit: 5 * MIB, channel: 'SMS' } },
  {
    mode: 'forward',
    channel: 'WHATSAPP',
    fileSize: 6 * MIB,
    details: { limit: 5 * MIB, channel: 'WHATSAPP', use: 'direct' },
  },
  {
    mode: 'forward',
    forwardMax: MIB,
    fileSize: 2 * MIB,
    details: { limit: MIB, channel: 'SMS', use: 'direct' },
  },
  { mode: 'forward', fileSize: 6 * MIB, details: { limit: 5 * MIB, channel: 'SMS' } },
  {
    mode: 'forward',
    channel: 'WHATSAPP',
    fileSize: 101 * MIB,
    details: { limit: 5 * MIB, channel: 'WHATSAPP' },
  },
  { mode: 'direct', fileSize: 5 * MIB + 1, details: { limit: 5 * MIB, channel: 'SMS' } },
  { mode: 'direct', forwardMax: 10 * MIB, fileSize: 6 * MIB, details: { limit: 5 * MIB, channel: 'SMS' } },
  {
    mode: 'direct',
    channel: 'WHATSAPP',
    fileSize: 100 * MIB + 1,
    details: { limit: 100 * MIB, channel: 'WHATSAPP' },
  },
  { mode: 'relay', fileSize: 5 * MIB + 1, details: { limit: 5 * MIB, channel: 'SMS' } },
  {
    mode: 'relay',
    channel: 'WHATSAPP',
    fileSize: 100 * MIB + 1,
    details: { limit: 100 * MIB, channel: 'WHATSAPP' },
  },
  {
    isGroupSms: 'true',
    channel: 'WHATSAPP',
    fileSize: 6 * MIB,
    details: { limit: 5 * MIB, channel: 'WHATSAPP' },
  },
];

describe('the size limits of POST /messages/upload', () => {
  let testServer: TestServer;
  afterEach(() => testServer[Symbol.asyncDispose]());

  for (const { forwardMax, mode = 'auto', details, ...values } of TOO_LARGE) {
    const title = [`mode=${mode}`, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)];
    const setting = forwardMax === undefined ? '' : ` where ${forwardMax} are forwarded`;
    it(`rejects ${title.join(' ')}${setting} by its head, and says what would do`, async () => {
      testServer = await createTestServer({
        env: forwardMax === undefined ? {} : { FORWARD_MAX_BYTES: String(forwardMax) },
      });
      const reply = await sendForm(
        testServer,
        [...fields({ ...testServer.fields, ...values }), file('film.mp4', mp4(300_000))],
        { path: `?mode=${mode}` },
      );
      assert.deepEqual(assertRejected(reply, 413, 'FILE_TOO_LARGE'), details);
      assert.equal(seen(testServer, 'initiate').length, 0);
      await testServer.assertClean();
    });
  }

  it('takes exactly the limit of a channel', async () => {
    testServer = await createTestServer();
    for (const [channel, fileSize] of [
      ['SMS', 5 * MIB],
      ['WHATSAPP', 100 * MIB],
    ] as const) {
      const reply = await sendForm(
        testServer,
        [
          ...fields({ conversationId: testServer.sandbox.conversationId, channel, fileSize }),
          file('film.mp4', mp4(4_100)),
        ],
        { path: '?mode=direct' },
      );
      assert.equal(reply.status, 202, reply.text);
    }
    await testServer.assertClean();
  });

  it('tells one byte too many by the bytes themselves where no size is declared', async () => {
    testServer = await createTestServer();
    const { conversationId } = testServer.sandbox;
    for (const [size, status] of [
      [5 * MIB, 202],
      [5 * MIB + 1, 413],
    ] as const) {
      const parts = [...fields({ conversationId }), file('film.mp4', mp4(size))];
      const reply = await sendForm(testServer, parts, { path: '?mode=direct' });
      assert.equal(reply.status, status, reply.text);
    }
    await testServer.assertClean();
  });

  for (const [channel, use] of [
    ['WHATSAPP', { use: 'direct' }],
    ['SMS', {}],
  ] as const) {
    it(`stops forwarding a chunked upload for ${channel} where the limit is passed`, async () => {
      testServer = await createTestServer();
      const parts = [...fields({ ...testServer.fields, channel }), file('film.mp4', mp4(5 * MIB + 1))];
      const reply = await sendForm(testServer, parts, { chunked: true });
      const details = assertRejected(reply, 413, 'FILE_TOO_LARGE');
      assert.deepEqual(details, { limit: 5 * MIB, channel, ...use });
      await testServer.assertClean();
    });
  }

  it('rejects several files of which one can not be forwarded', async () => {
    testServer = await createTestServer({ env: { FORWARD_MAX_BYTES: '100000' } });
    const parts = [...fields(testServer.fields), file('a.txt', 'small'), file('film.mp4', mp4(200_000))];
    const details = assertRejected(await sendForm(testServer, parts), 413, 'FILE_TOO_LARGE');
    assert.equal(details['limit'], 100_000);
    assert.equal(seen(testServer, 'initiate').length, 0);
    await testServer.assertClean();
  });
});
