import assert from 'node:assert/strict';
import {
  assertRejected,
  call,
  fields,
  file,
  type Reply,
  seen,
  sendForm,
  sha256,
} from '../helpers/direct-steps.ts';
import { mp4, type Part } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const FORWARD_MAX = 100_000;
const FALLBACK_MAX = 3_000_000;

describe('auto where Leadway does not offer direct uploads', () => {
  let testServer: TestServer;
  let target: readonly Part[];
  beforeEach(async () => {
    testServer = await createTestServer({
      env: {
        FORWARD_MAX_BYTES: String(FORWARD_MAX),
        FORWARD_FALLBACK_MAX_BYTES: String(FALLBACK_MAX),
      },
      sandbox: { fault: 'no-initiate' },
    });
    target = fields({ ...testServer.fields, channel: 'WHATSAPP' });
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  const announce = (bytes: number): Part[] => fields({ fileSize: bytes });
  const config = (): Promise<Reply> => call(`${testServer.api}/config`, { method: 'GET' });

  function assertForwarded({ status, body, text }: Reply, content: Buffer): void {
    assert.equal(status, 200, text);
    assert.equal(body.mode, 'forward');
    assert.equal(seen(testServer, 'upload').at(-1)?.files?.[0]?.sha256, sha256(content));
  }

  for (const [how, before] of [
    ['declared', true],
    ['announced by the length of the body', false],
  ] as const) {
    it(`forwards what is larger than usual, its size ${how}`, async () => {
      const film = mp4(2_000_000);
      const parts = [...target, ...(before ? announce(film.length) : []), file('film.mp4', film)];
      assertForwarded(await sendForm(testServer, parts), film);
      assert.equal(seen(testServer, 'initiate').length, 1);
      await testServer.assertClean({ completeUploads: 1 });
    });
  }

  it('goes on forwarding a file that passes the usual limit on its way', async () => {
    const film = mp4(400_000);
    assertForwarded(await sendForm(testServer, [...target, file('film.mp4', film)]), film);
    assert.equal(seen(testServer, 'initiate').length, 1);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('remembers it, and says it in the log once', async () => {
    const film = mp4(400_000);
    for (let count = 0; count < 3; count++) {
      assertForwarded(await sendForm(testServer, [...target, file('film.mp4', film)]), film);
    }
    assertForwarded(await sendForm(testServer, [...target, file('film.mp4', film)], { chunked: true }), film);
    assert.equal(seen(testServer, 'initiate').length, 1);
    const said = testServer.log.lines.filter((line) => line.includes('does not offer direct uploads'));
    assert.equal(said.length, 1);
    await testServer.assertClean({ completeUploads: 4 });
  });

  it('takes exactly the limit of this, and no byte more', async () => {
    const film = mp4(FALLBACK_MAX);
    assertForwarded(
      await sendForm(testServer, [...target, ...announce(film.length), file('film.mp4', film)]),
      film,
    );
    for (const parts of [
      [...target, ...announce(FALLBACK_MAX + 1), file('film.mp4', mp4(5_000))],
      [...target, file('film.mp4', mp4(FALLBACK_MAX + 1))],
    ]) {
      const details = assertRejected(await sendForm(testServer, parts), 413, 'FILE_TOO_LARGE');
      assert.deepEqual(details, { limit: FALLBACK_MAX, channel: 'WHATSAPP' });
    }
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('rejects at the first asking what is larger than this, and not in the middle', async () => {
    const parts = [...target, ...announce(FALLBACK_MAX + 1), file('film.mp4', mp4(5_000))];
    const details = assertRejected(await sendForm(testServer, parts), 413, 'FILE_TOO_LARGE');
    assert.deepEqual(details, { limit: FALLBACK_MAX, channel: 'WHATSAPP' });
    await testServer.assertClean();
  });

  it('tells clients', async () => {
    const offered = (await config()).text;
    assert.deepEqual(JSON.parse(offered).modes, ['auto', 'forward', 'direct', 'relay']);
    assert.equal(JSON.parse(offered).limits.forwardMaxBytes, FORWARD_MAX);
    await sendForm(testServer, [...target, file('film.mp4', mp4(400_000))]);
    const fallen = (await config()).text;
    assert.deepEqual(JSON.parse(fallen).modes, ['auto', 'forward']);
    assert.equal(JSON.parse(fallen).limits.forwardMaxBytes, FALLBACK_MAX);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('does not stand in for a way that was asked for by name', async () => {
    const parts = [...target, file('note.txt', 'hello')];
    for (const mode of ['direct', 'relay', 'direct', 'relay']) {
      const reply = await sendForm(testServer, parts, { path: `?mode=${mode}` });
      assert.deepEqual(assertRejected(reply, 502, 'DIRECT_UNAVAILABLE'), { use: 'forward' });
    }
    const large = [...target, file('film.mp4', mp4(400_000))];
    assertRejected(await sendForm(testServer, large, { path: '?mode=forward' }), 413, 'FILE_TOO_LARGE');
    await testServer.assertClean();
  });

  it('says that direct is not offered to a client that sent only the leading bytes for it', async () => {
    const head = file('film.mp4', mp4(4_100));
    for (const length of [2_000_000, 2_000_000]) {
      const reply = await sendForm(testServer, [...target, ...announce(length), head]);
      assert.deepEqual(assertRejected(reply, 502, 'DIRECT_UNAVAILABLE'), { use: 'forward' });
    }
    const small = await sendForm(testServer, [...target, ...announce(FORWARD_MAX), head]);
    assertRejected(small, 400, 'SIZE_MISMATCH');
    const large = await sendForm(testServer, [...target, ...announce(FALLBACK_MAX + 1), head]);
    assertRejected(large, 413, 'FILE_TOO_LARGE');
    await testServer.assertClean();
  });

  it('forwards for either id then, and asks for one of them where neither came', async () => {
    const film = file('film.mp4', mp4(400_000));
    const announced = { fileSize: 400_000 };
    const rejected = await sendForm(testServer, [...fields(announced), film]);
    assert.deepEqual(assertRejected(rejected, 400, 'MISSING_FIELD')['fields'], [
      'conversationId',
      'contactId',
    ]);
    for (const name of ['conversationId', 'contactId'] as const) {
      const reply = await sendForm(testServer, [
        ...fields({ [name]: testServer.sandbox[name], ...announced }),
        film,
      ]);
      assert.equal(reply.status, 200, reply.text);
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('is not caused by a failure of another kind', async () => {
    testServer.sandbox.fault = 'initiate-bad-token';
    const parts = [...target, ...announce(400_000), file('film.mp4', mp4(400_000))];
    assertRejected(await sendForm(testServer, parts), 502, 'UPSTREAM_AUTH');
    testServer.sandbox.fault = null;
    assert.equal((await sendForm(testServer, parts)).status, 202);
    await testServer.assertClean();
  });
});
