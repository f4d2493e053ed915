import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import {
  assertRejected,
  call,
  complete,
  initiate,
  initiated,
  jsonOf,
  postJson,
  putContent,
  type StepBody,
  seen,
} from '../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const CONTENT = 'hello';

const FAULTS: readonly (readonly [FaultName, number, string, Readonly<Record<string, unknown>>?])[] = [
  ['no-initiate', 502, 'DIRECT_UNAVAILABLE', { use: 'forward' }],
  ['complete-status-404', 404, 'NOT_UPLOADED'],
  ['complete-bad-token', 502, 'UPSTREAM_AUTH'],
  ['complete-auth-class', 502, 'UPSTREAM_AUTH'],
  ['complete-status-403', 502, 'UPSTREAM_AUTH'],
  ['complete-status-400', 400, 'UPSTREAM_REJECTED', { upstreamStatus: 400 }],
  ['complete-status-500', 502, 'UPSTREAM_ERROR'],
  ['complete-status-302', 502, 'UPSTREAM_ERROR'],
  ['complete-429', 429, 'UPSTREAM_REJECTED', { upstreamStatus: 429 }],
  ['complete-empty-success', 502, 'UPSTREAM_ERROR'],
  ['complete-html', 502, 'UPSTREAM_ERROR'],
  ['complete-bad-json', 502, 'UPSTREAM_ERROR'],
  ['complete-huge-json', 502, 'UPSTREAM_ERROR'],
  ['complete-cut', 502, 'UPSTREAM_ABORTED'],
  ['complete-never-answers', 504, 'UPSTREAM_TIMEOUT'],
  ['complete-leaky', 400, 'UPSTREAM_REJECTED', { upstreamStatus: 400 }],
];

describe('POST /messages/upload/complete', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer({ env: { TRUST_PROXY: '1', UPSTREAM_TIMEOUT_MS: '300' } });
  });
  afterEach(async () => {
    await testServer.assertClean();
    await testServer[Symbol.asyncDispose]();
  });

  async function stored(fields: Readonly<Record<string, unknown>> = {}): Promise<StepBody> {
    const step = await initiated(testServer, fields);
    const put = await call(step.uploadUrl, { method: 'PUT', headers: step.headers, body: CONTENT });
    assert.equal(put.status, 200, put.text);
    return step;
  }

  it('tells Leadway what the ticket seals, and responds its URL', async () => {
    const { ticket, uploadId, filePath } = await stored();
    const { status, body } = await complete(testServer, { ticket });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ['delivery', 'metadata', 'uploadedFiles']);
    assert.deepEqual(body.metadata, { size: CONTENT.length, contentType: 'text/plain' });
    assert.equal(await (await fetch(body.uploadedFiles?.['note.txt'] ?? '')).text(), CONTENT);
    const { locationId, conversationId } = testServer.sandbox;
    const sent = jsonOf(testServer, 'complete');
    assert.deepEqual(sent, { uploadId, filePath, locationId, conversationId, filename: 'note.txt' });
  });

  it('may be asked twice', async () => {
    const { ticket } = await stored();
    const first = await complete(testServer, { ticket });
    const second = await complete(testServer, { ticket });
    assert.deepEqual(second.body, first.body);
  });

  it('may be asked again after the file has come', async () => {
    const step = await initiated(testServer);
    const early = await complete(testServer, { ticket: step.ticket });
    assertRejected(early, 404, 'NOT_UPLOADED');
    assert.equal(early.body.retryable, true);
    assert.equal((await putContent(testServer, step, CONTENT)).status, 204);
    assert.equal((await complete(testServer, { ticket: step.ticket })).status, 200);
  });

  it('takes the other fields when they are those of the ticket', async () => {
    const { ticket, uploadId, filePath, filename } = await stored();
    const { locationId, conversationId } = testServer.sandbox;
    const repeated = { ticket, uploadId, filePath, filename, locationId, conversationId };
    for (const more of [{}, { filename: '', uploadId: null, type: 'x' }]) {
      assert.equal((await complete(testServer, { ...repeated, ...more })).status, 200);
    }
  });

  it('rejects the other fields when they are not', async () => {
    const { ticket } = await stored();
    for (const field of ['uploadId', 'filePath', 'locationId', 'conversationId', 'filename']) {
      for (const value of ['other', 5, ['note.txt'], {}]) {
        const details = assertRejected(
          await complete(testServer, { ticket, [field]: value }),
          400,
          'INVALID_FIELD',
        );
        assert.equal(details['field'], field);
      }
    }
    assert.equal(seen(testServer, 'complete').length, 0);
  });

  it('asks for a ticket', async () => {
    for (const body of [{}, { ticket: '' }, { ticket: null }]) {
      assert.equal(assertRejected(await complete(testServer, body), 400, 'MISSING_FIELD')['field'], 'ticket');
    }
  });

  it('rejects tickets that are not ours', async () => {
    const { ticket } = await stored();
    await using other = await createTestServer();
    const foreign = await initiated(other);
    const bad = [
      'x',
      5,
      {},
      [ticket],
      true,
      `${ticket} `,
      ticket.slice(1),
      foreign.ticket,
      'a'.repeat(20_000),
    ];
    for (const changed of bad) {
      assertRejected(await complete(testServer, { ticket: changed }), 403, 'TICKET_INVALID');
    }
    assert.equal(seen(testServer, 'complete').length, 0);
  });

  it("rejects another client's ticket", async () => {
    const { ticket } = await initiated(testServer, {}, { 'X-Forwarded-For': '203.0.113.7' });
    const reply = await complete(testServer, { ticket }, { 'X-Forwarded-For': '203.0.113.8' });
    assertRejected(reply, 403, 'TICKET_INVALID');
    assert.equal(seen(testServer, 'complete').length, 0);
  });

  it('takes the ticket of any replica that shares the secret, and of a rotated one', async () => {
    const [old, fresh] = ['o'.repeat(32), 'f'.repeat(32)];
    await using before = await createTestServer({ env: { TICKET_SECRETS: old } });
    await using after = await createTestServer({ env: { TICKET_SECRETS: `${fresh},${old}` } });
    await using later = await createTestServer({ env: { TICKET_SECRETS: fresh } });
    const { ticket } = await initiated(before);
    assertRejected(await complete(after, { ticket }), 404, 'NOT_UPLOADED');
    assertRejected(await complete(later, { ticket }), 403, 'TICKET_INVALID');
  });

  it('rejects a file of another size than was declared', async () => {
    const { ticket } = await stored({ fileSize: 4 });
    const details = assertRejected(await complete(testServer, { ticket }), 400, 'SIZE_MISMATCH');
    assert.deepEqual(details, { declared: 4, received: 5 });
  });

  for (const [fault, status, code, details] of FAULTS) {
    it(`responds with ${code} to ${fault}`, async () => {
      const { ticket } = await stored();
      testServer.sandbox.fault = fault;
      const reply = await complete(testServer, { ticket });
      const given = assertRejected(reply, status, code);
      if (details !== undefined) assert.deepEqual(given, details);
      assert(!/X-Goog|10\.23|Bearer/.test(reply.text), reply.text);
      assert(!reply.text.includes(testServer.sandbox.token));
    });
  }

  it('forwards from then on when the endpoint is gone', async () => {
    const { ticket } = await stored();
    testServer.sandbox.fault = 'no-initiate';
    await complete(testServer, { ticket });
    testServer.sandbox.fault = null;
    assertRejected(await initiate(testServer), 502, 'DIRECT_UNAVAILABLE');
  });

  it('tries once more after a failure that passes', async () => {
    const { ticket } = await stored();
    testServer.sandbox.fault = 'once-complete-status-502';
    assert.equal((await complete(testServer, { ticket })).status, 200);
  });

  it('takes JSON alone, by POST alone', async () => {
    const path = '/messages/upload/complete';
    assertRejected(await postJson(testServer, path, '[]'), 400, 'BAD_JSON');
    assertRejected(await postJson(testServer, path, '{}', { 'Content-Type': 'text/plain' }), 415, 'NOT_JSON');
    assertRejected(await call(`${testServer.api}${path}`, { method: 'PUT' }), 405, 'METHOD_NOT_ALLOWED');
  });

  it('says it in Spanish when asked', async () => {
    const { ticket } = await initiated(testServer);
    const { body } = await complete(testServer, { ticket }, { 'Accept-Language': 'es' });
    assert.match(body.message ?? '', /almacenamiento/);
  });
});
