import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import { assertRejected, fields, file, initiate, seen, sendForm } from '../helpers/direct-steps.ts';
import { createFakeLeadway, type FakeLeadway } from '../helpers/fake-leadway.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Faults of Leadway while it is asked for a signed URL, and what the client is told. */
const FAULTS: readonly (readonly [FaultName, number, string, Readonly<Record<string, unknown>>?])[] = [
  ['no-initiate', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-401-class', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-no-scope', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-status-403', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-status-410', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['initiate-evil-origin', 502, 'UPSTREAM_ERROR'],
  ['initiate-bad-token', 502, 'UPSTREAM_AUTH'],
  ['initiate-empty-success', 502, 'UPSTREAM_ERROR'],
  ['initiate-html', 502, 'UPSTREAM_ERROR'],
  ['initiate-bad-json', 502, 'UPSTREAM_ERROR'],
  ['initiate-huge-json', 502, 'UPSTREAM_ERROR'],
  ['initiate-cut', 502, 'UPSTREAM_ABORTED'],
  ['initiate-status-302', 502, 'UPSTREAM_ERROR'],
  ['initiate-status-422', 422, 'UPSTREAM_REJECTED', { upstreamStatus: 422 }],
  ['initiate-status-500', 502, 'UPSTREAM_ERROR'],
  ['initiate-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['initiate-leaky', 400, 'UPSTREAM_REJECTED', { upstreamStatus: 400 }],
];

describe('initiate when Leadway fails', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: { UPSTREAM_TIMEOUT_MS: '300' } });
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  for (const [fault, status, code, details] of FAULTS) {
    it(`responds with ${code} to ${fault}`, async () => {
      testServer.sandbox.fault = fault;
      const reply = await initiate(testServer);
      const given = assertRejected(reply, status, code);
      if (details !== undefined) assert.deepEqual(given, details);
      assert(!/evil|X-Goog|10\.23|Bearer/.test(reply.text), reply.text);
      assert(!reply.text.includes(testServer.sandbox.token));
      await testServer.assertClean();
    });
  }

  it('tries once more after a failure that passes', async () => {
    for (const fault of ['once-initiate-status-503', 'once-initiate-429'] as const) {
      testServer.sandbox.fault = fault;
      assert.equal((await initiate(testServer)).status, 200);
    }
    assert.equal(seen(testServer, 'initiate').length, 4);
    await testServer.assertClean();
  });

  it('passes a conversation that does not exist on as a 404', async () => {
    assertRejected(await initiate(testServer, { conversationId: 'missing1' }), 404, 'UPSTREAM_REJECTED');
  });
});

const ALLOWED = 'https://storage.googleapis.com';

/** URLs that are not, or only look like, those of the storage. */
const HOSTILE_URLS = [
  'https://evil.example/bucket/a.txt',
  'http://storage.googleapis.com/bucket/a.txt',
  'https://storage.googleapis.com:8443/bucket/a.txt',
  'https://storage.googleapis.com@evil.example/bucket/a.txt',
  'https://user@storage.googleapis.com/bucket/a.txt',
  'https://user:secret@storage.googleapis.com/bucket/a.txt',
  'https://storage.googleapis.com.evil.example/bucket/a.txt',
  'https://evilstorage.googleapis.com/bucket/a.txt',
  'https://storage.googleapis.co/bucket/a.txt',
  'https://.storage.googleapis.com/bucket/a.txt',
  'https://storage.googleapis.com./bucket/a.txt',
  'https://storage.googleapis.com\\@evil.example/bucket/a.txt',
  'https:\\\\storage.googleapis.com/bucket/a.txt',
  'https:storage.googleapis.com/bucket/a.txt',
  'https:///storage.googleapis.com/bucket/a.txt',
  'https://storage.googleapis.com\t/bucket/a.txt',
  'https://storage.\ngoogleapis.com/bucket/a.txt',
  ' https://storage.googleapis.com/bucket/a.txt',
  'https://st\u00f6rage.googleapis.com/bucket/a.txt',
  'https://storage\u3002googleapis.com/bucket/a.txt',
  'https://142.250.74.123/bucket/a.txt',
  'https://[::ffff:127.0.0.1]/bucket/a.txt',
  'http://127.0.0.1/bucket/a.txt',
  'http://169.254.169.254/computeMetadata/v1/',
  'file:///etc/passwd',
  'javascript:alert(1)//storage.googleapis.com',
  'ftp://storage.googleapis.com/bucket/a.txt',
  '//storage.googleapis.com/bucket/a.txt',
  '/bucket/a.txt',
  '',
  42,
  null,
];

describe('the signed URL in Leadway’s response', () => {
  let leadway: FakeLeadway;
  let testServer: TestServer;
  let uploadUrl: unknown;
  before(async () => {
    leadway = await createFakeLeadway(() => ({
      status: 200,
      json: {
        uploadUrl,
        uploadId: 'u1',
        filePath: 'a/b.txt',
        expiresAt: Date.now() + 900_000,
        maxFileSize: 5_242_880,
      },
    }));
    testServer = await createTestServer({
      env: { LEADWAY_BASE_URL: leadway.url, STORAGE_ORIGINS: `${ALLOWED},https://*.storage.googleapis.com` },
    });
  });
  after(async () => {
    await testServer[Symbol.asyncDispose]();
    await leadway[Symbol.asyncDispose]();
  });

  for (const hostile of HOSTILE_URLS) {
    it(`is never handed out or used when it is ${JSON.stringify(hostile)}`, async () => {
      uploadUrl = hostile;
      leadway.calls.length = 0;
      const { conversationId } = testServer.sandbox;
      const parts = [...fields({ conversationId }), file('note.txt', 'hello')];
      for (const reply of [
        await initiate(testServer),
        await sendForm(testServer, parts, { path: '?mode=direct' }),
        await sendForm(testServer, parts, { path: '?mode=relay' }),
      ]) {
        assertRejected(reply, 502, 'UPSTREAM_ERROR');
        assert.deepEqual(Object.keys(reply.body).sort(), [
          'code',
          'message',
          'requestId',
          'retryable',
          'status',
        ]);
        assert(!/evil|googleapis|passwd/.test(reply.text));
      }
      // Three calls for a URL, and nothing else anywhere we can see.
      assert.equal(leadway.calls.length, 3);
      assert.deepEqual(testServer.sandbox.requests, []);
      await testServer.assertClean();
    });
  }

  for (const good of [
    `${ALLOWED}/bucket/a%20b.txt?X=1&Y=%2F`,
    'https://bucket.storage.googleapis.com/a.txt?X=1',
  ]) {
    it(`is handed out letter by letter when it is ${good}`, async () => {
      uploadUrl = good;
      const { status, body } = await initiate(testServer);
      assert.equal(status, 200);
      assert.equal(body.uploadUrl, good);
    });
  }
});
