import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import {
  assertRejected,
  complete,
  initiated,
  putContent,
  type StepBody,
  seen,
} from '../helpers/direct-steps.ts';
import { mp4 } from '../helpers/multipart.ts';
import { connectTo, type RawClient } from '../helpers/raw-client.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const FILM = { filename: 'film.mp4', contentType: 'video/mp4', channel: 'WHATSAPP' };

/** What becomes of storage while it gets a file, and what the client is told. */
const FAULTS: readonly (readonly [FaultName, number, string, number?])[] = [
  ['storage-403', 502, 'STORAGE_REFUSED', 403],
  ['storage-expired', 502, 'STORAGE_REFUSED', 400],
  ['storage-status-412', 502, 'STORAGE_REFUSED', 412],
  ['storage-status-503', 502, 'STORAGE_REFUSED', 503],
  ['storage-status-302', 502, 'STORAGE_REFUSED', 302],
  ['storage-status-307', 502, 'STORAGE_REFUSED', 307],
  ['storage-reset', 502, 'UPSTREAM_ABORTED'],
  ['storage-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-stops-reading', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-refuse', 502, 'UPSTREAM_UNREACHABLE'],
];

describe('PUT /messages/upload/content when a side fails', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { UPSTREAM_TIMEOUT_MS: '300' } });
  });
  beforeEach(async () => {
    testServer.sandbox.reset();
    await testServer.sandbox.ready();
  });
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  for (const [fault, status, code, storageStatus] of FAULTS) {
    for (const [size, bytes] of [
      ['small', 6_000],
      ['large', 20_000_000],
    ] as const) {
      it(`responds with ${code} to ${fault} of a ${size} file`, async () => {
        const step = await initiated(testServer, FILM);
        testServer.sandbox.fault = fault;
        await testServer.sandbox.ready();
        const reply = await putContent(testServer, step, mp4(bytes));
        const details = assertRejected(reply, status, code);
        if (storageStatus !== undefined) assert.deepEqual(details, { storageStatus });
        assert(!/X-Goog|127\.0\.0\.1|Signature|sandbox/.test(reply.text), reply.text);
        testServer.sandbox.fault = null;
        await testServer.sandbox.ready();
        assertRejected(await complete(testServer, { ticket: step.ticket }), 404, 'NOT_UPLOADED');
        // With a full buffer it does not notice that we have left.
        if (fault === 'storage-stops-reading') testServer.sandbox.reset();
      });
    }
  }

  it('works after a failure, with the same ticket', async () => {
    const step = await initiated(testServer, FILM);
    testServer.sandbox.fault = 'once-storage-reset';
    assertRejected(await putContent(testServer, step, mp4(50_000)), 502, 'UPSTREAM_ABORTED');
    assert.equal((await putContent(testServer, step, mp4(50_000))).status, 204);
    assert.equal((await complete(testServer, { ticket: step.ticket })).status, 200);
  });

  it('is not timed out by a slow storage, nor by a slow client', async () => {
    // Longer than the timeout in all, and by far not from one piece to the next.
    await using patient = await createTestServer({
      env: { UPSTREAM_TIMEOUT_MS: '1000' },
      sandbox: { slowMs: 1_500 },
    });
    const step = await initiated(patient, FILM);
    patient.sandbox.fault = 'storage-slow-body';
    assert.equal((await putContent(patient, step, mp4(400_000))).status, 204);
  });

  async function begin(step: StepBody, length: number): Promise<RawClient> {
    const client = await connectTo(testServer);
    const head = [
      'PUT /api/messages/upload/content HTTP/1.1',
      'Host: localhost',
      `Upload-Ticket: ${step.ticket}`,
      `Content-Type: ${step.contentType}`,
      `Content-Length: ${length}`,
    ];
    await client.send(`${head.join('\r\n')}\r\n\r\n`);
    return client;
  }

  for (const [when, bytes] of [
    ['before the head is there', 100],
    ['in the middle', 600_000],
    ['one byte before the end', 999_999],
  ] as const) {
    it(`leaves storage without an object when the client disconnects ${when}`, async () => {
      const step = await initiated(testServer, FILM);
      using client = await begin(step, 1_000_000);
      await client.send(mp4(bytes));
      if (bytes > 5_000)
        await testServer.sandbox.waitFor(() => (seen(testServer, 'put')[0]?.bodyBytes ?? 0) > 0);
      client.leave();
      await settled(() => testServer.server.context.slots.taken === 0, 'the slot is free');
      await testServer.sandbox.waitFor((requests) =>
        requests.every(({ complete, aborted }) => complete || aborted),
      );
      assert(seen(testServer, 'put').every(({ complete }) => !complete));
      assertRejected(await complete(testServer, { ticket: step.ticket }), 404, 'NOT_UPLOADED');
    });
  }

  it('keeps no connection after clients have left', async () => {
    await settled(() => testServer.server.openConnections() === 0, 'the clients of before are gone');
    const step = await initiated(testServer, FILM);
    for (let count = 0; count < 5; count++) {
      using client = await begin(step, 1_000_000);
      await client.send(mp4(300_000));
      client.leave();
    }
    await settled(() => testServer.server.openConnections() === 0, 'no client is connected');
    await testServer.sandbox.waitFor((requests) =>
      requests.every(({ complete, aborted }) => complete || aborted),
    );
  });

  it('responds with what is wrong while the client is still sending', async () => {
    const step = await initiated(testServer, FILM);
    using client = await begin(step, 50_000_000);
    await client.send(Buffer.alloc(5_000, 'not a film'));
    assert.equal((await client.response()).body.code, 'TYPE_MISMATCH');
    assert.equal(seen(testServer, 'put').length, 0);
    client.leave();
  });

  it('takes a success before storage had everything for a failure', async () => {
    for (const status of [200, 299] as const) {
      testServer.sandbox.fault = null;
      const step = await initiated(testServer, FILM);
      testServer.sandbox.fault = `storage-status-${status}`;
      using client = await begin(step, 50_000_000);
      await client.send(mp4(200_000));
      const { status: told, body } = await client.response();
      assert.deepEqual([told, body.code, body.details], [502, 'STORAGE_REFUSED', { storageStatus: status }]);
      client.leave();
    }
  });

  it('passes early rejections of storage on while the client is still sending', async () => {
    const step = await initiated(testServer, FILM);
    testServer.sandbox.fault = 'storage-403';
    using client = await begin(step, 50_000_000);
    await client.send(mp4(200_000));
    assert.equal((await client.response()).body.code, 'STORAGE_REFUSED');
    client.leave();
  });
});
