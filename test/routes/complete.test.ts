import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import {
  assertRefused,
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
import { createHouse, type House } from '../helpers/house.ts';

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
  let house: House;
  beforeEach(async () => {
    house = await createHouse({ env: { TRUST_PROXY: '1', UPSTREAM_TIMEOUT_MS: '300' } });
  });
  afterEach(async () => {
    await house.assertTidy();
    await house[Symbol.asyncDispose]();
  });

  async function stored(fields: Readonly<Record<string, unknown>> = {}): Promise<StepBody> {
    const step = await initiated(house, fields);
    const put = await call(step.uploadUrl, { method: 'PUT', headers: step.headers, body: CONTENT });
    assert.equal(put.status, 200, put.text);
    return step;
  }

  it('tells Leadway what the ticket seals, and answers its URL', async () => {
    const { ticket, uploadId, filePath } = await stored();
    const { status, body } = await complete(house, { ticket });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ['metadata', 'uploadedFiles']);
    assert.deepEqual(body.metadata, { size: CONTENT.length, contentType: 'text/plain' });
    assert.equal(await (await fetch(body.uploadedFiles?.['note.txt'] ?? '')).text(), CONTENT);
    const { locationId, conversationId } = house.sandbox;
    const sent = jsonOf(house, 'complete');
    assert.deepEqual(sent, { uploadId, filePath, locationId, conversationId, filename: 'note.txt' });
  });

  it('may be asked twice', async () => {
    const { ticket } = await stored();
    const first = await complete(house, { ticket });
    const second = await complete(house, { ticket });
    assert.deepEqual(second.body, first.body);
  });

  it('may be asked again after the file has come', async () => {
    const step = await initiated(house);
    const early = await complete(house, { ticket: step.ticket });
    assertRefused(early, 404, 'NOT_UPLOADED');
    assert.equal(early.body.retryable, true);
    assert.equal((await putContent(house, step, CONTENT)).status, 204);
    assert.equal((await complete(house, { ticket: step.ticket })).status, 200);
  });

  it('takes the other fields when they are those of the ticket', async () => {
    const { ticket, uploadId, filePath, filename } = await stored();
    const { locationId, conversationId } = house.sandbox;
    const repeated = { ticket, uploadId, filePath, filename, locationId, conversationId };
    for (const more of [{}, { filename: '', uploadId: null, type: 'x' }]) {
      assert.equal((await complete(house, { ...repeated, ...more })).status, 200);
    }
  });

  it('refuses the other fields when they are not', async () => {
    const { ticket } = await stored();
    for (const field of ['uploadId', 'filePath', 'locationId', 'conversationId', 'filename']) {
      for (const value of ['other', 5, ['note.txt'], {}]) {
        const details = assertRefused(
          await complete(house, { ticket, [field]: value }),
          400,
          'INVALID_FIELD',
        );
        assert.equal(details['field'], field);
      }
    }
    assert.equal(seen(house, 'complete').length, 0);
  });

  it('asks for a ticket', async () => {
    for (const body of [{}, { ticket: '' }, { ticket: null }]) {
      assert.equal(assertRefused(await complete(house, body), 400, 'MISSING_FIELD')['field'], 'ticket');
    }
  });

  it('refuses tickets that are not ours', async () => {
    const { ticket } = await stored();
    await using other = await createHouse();
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
      assertRefused(await complete(house, { ticket: changed }), 403, 'TICKET_INVALID');
    }
    assert.equal(seen(house, 'complete').length, 0);
  });

  it("refuses another caller's ticket", async () => {
    const { ticket } = await initiated(house, {}, { 'X-Forwarded-For': '203.0.113.7' });
    const reply = await complete(house, { ticket }, { 'X-Forwarded-For': '203.0.113.8' });
    assertRefused(reply, 403, 'TICKET_INVALID');
    assert.equal(seen(house, 'complete').length, 0);
  });

  it('takes the ticket of any replica that shares the secret, and of a rotated one', async () => {
    const [old, fresh] = ['o'.repeat(32), 'f'.repeat(32)];
    await using before = await createHouse({ env: { TICKET_SECRETS: old } });
    await using after = await createHouse({ env: { TICKET_SECRETS: `${fresh},${old}` } });
    await using later = await createHouse({ env: { TICKET_SECRETS: fresh } });
    const { ticket } = await initiated(before);
    assertRefused(await complete(after, { ticket }), 404, 'NOT_UPLOADED');
    assertRefused(await complete(later, { ticket }), 403, 'TICKET_INVALID');
  });

  it('refuses a file of another size than was declared', async () => {
    const { ticket } = await stored({ fileSize: 4 });
    const details = assertRefused(await complete(house, { ticket }), 400, 'SIZE_MISMATCH');
    assert.deepEqual(details, { declared: 4, received: 5 });
  });

  for (const [fault, status, code, details] of FAULTS) {
    it(`answers ${code} to ${fault}`, async () => {
      const { ticket } = await stored();
      house.sandbox.fault = fault;
      const reply = await complete(house, { ticket });
      const given = assertRefused(reply, status, code);
      if (details !== undefined) assert.deepEqual(given, details);
      assert(!/X-Goog|10\.23|Bearer/.test(reply.text), reply.text);
      assert(!reply.text.includes(house.sandbox.token));
    });
  }

  it('forwards from then on when the endpoint is gone', async () => {
    const { ticket } = await stored();
    house.sandbox.fault = 'no-initiate';
    await complete(house, { ticket });
    house.sandbox.fault = null;
    assertRefused(await initiate(house), 502, 'DIRECT_UNAVAILABLE');
  });

  it('tries once more after a failure that passes', async () => {
    const { ticket } = await stored();
    house.sandbox.fault = 'once-complete-status-502';
    assert.equal((await complete(house, { ticket })).status, 200);
  });

  it('takes JSON alone, by POST alone', async () => {
    const path = '/messages/upload/complete';
    assertRefused(await postJson(house, path, '[]'), 400, 'BAD_JSON');
    assertRefused(await postJson(house, path, '{}', { 'Content-Type': 'text/plain' }), 415, 'NOT_JSON');
    assertRefused(await call(`${house.api}${path}`, { method: 'PUT' }), 405, 'METHOD_NOT_ALLOWED');
  });

  it('says it in Spanish when asked', async () => {
    const { ticket } = await initiated(house);
    const { body } = await complete(house, { ticket }, { 'Accept-Language': 'es' });
    assert.match(body.message ?? '', /almacenamiento/);
  });
});
