import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import { assertRejected, fields, file, type Reply, seen, sendForm } from '../helpers/direct-steps.ts';
import { mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Faults in each of the three steps, and what the client is told. */
const FAULTS: readonly (readonly [FaultName, number, string, Readonly<Record<string, unknown>>?])[] = [
  ['no-initiate', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-401-class', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-evil-origin', 502, 'UPSTREAM_ERROR'],
  ['initiate-bad-token', 502, 'UPSTREAM_AUTH'],
  ['initiate-status-422', 422, 'UPSTREAM_REJECTED', { upstreamStatus: 422 }],
  ['initiate-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-403', 502, 'STORAGE_REFUSED', { storageStatus: 403 }],
  ['storage-expired', 502, 'STORAGE_REFUSED', { storageStatus: 400 }],
  ['storage-status-307', 502, 'STORAGE_REFUSED', { storageStatus: 307 }],
  ['storage-status-503', 502, 'STORAGE_REFUSED', { storageStatus: 503 }],
  ['storage-reset', 502, 'UPSTREAM_ABORTED'],
  ['storage-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-stops-reading', 504, 'UPSTREAM_TIMEOUT'],
  ['storage-refuse', 502, 'UPSTREAM_UNREACHABLE'],
  ['complete-status-404', 404, 'NOT_UPLOADED'],
  ['complete-bad-token', 502, 'UPSTREAM_AUTH'],
  ['complete-status-500', 502, 'UPSTREAM_ERROR'],
  ['complete-bad-json', 502, 'UPSTREAM_ERROR'],
  ['complete-cut', 502, 'UPSTREAM_ABORTED'],
  ['complete-never-answers', 504, 'UPSTREAM_TIMEOUT'],
];

describe('a relayed upload when a step fails', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: { UPSTREAM_TIMEOUT_MS: '300' } });
  });
  afterEach(async () => {
    await testServer.assertClean();
    await testServer[Symbol.asyncDispose]();
  });

  function relay(bytes: number): Promise<Reply> {
    const target = fields({ conversationId: testServer.sandbox.conversationId, channel: 'WHATSAPP' });
    return sendForm(testServer, [...target, file('film.mp4', mp4(bytes))], { path: '?mode=relay' });
  }

  for (const [fault, status, code, details] of FAULTS) {
    for (const [size, bytes] of [
      ['small', 9_000],
      ['large', 20_000_000],
    ] as const) {
      it(`responds with ${code} to ${fault} with a ${size} file`, async () => {
        testServer.sandbox.fault = fault;
        await testServer.sandbox.ready();
        const reply = await relay(bytes);
        const given = assertRejected(reply, status, code);
        if (details !== undefined) assert.deepEqual(given, details);
        assert(!/X-Goog|127\.0\.0\.1|evil|Signature/.test(reply.text), reply.text);
        if (!fault.startsWith('complete')) assert.equal(seen(testServer, 'complete').length, 0);
        // With a full buffer it does not notice that we have left.
        if (fault === 'storage-stops-reading') testServer.sandbox.reset();
      });
    }
  }

  it('works again after a failure', async () => {
    testServer.sandbox.fault = 'once-storage-reset';
    assertRejected(await relay(100_000), 502, 'UPSTREAM_ABORTED');
    assert.equal((await relay(100_000)).status, 200);
  });
});
