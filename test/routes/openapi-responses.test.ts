import assert from 'node:assert/strict';
import type { OpenApiDocument } from '../../server/openapi/document.ts';
import { createDescriber, type DescribedOperation, type Describer } from '../helpers/described.ts';
import { fixture } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const UPLOAD = { method: 'post', path: '/messages/upload' } as const;
const INITIATE = { method: 'post', path: '/messages/upload/initiate' } as const;
const CONTENT = { method: 'put', path: '/messages/upload/content' } as const;
const COMPLETE = { method: 'post', path: '/messages/upload/complete' } as const;

const PICTURE = fixture('picture.png');

describe('the description of the API', () => {
  let testServer: TestServer;
  let describer: Describer;
  before(async () => {
    testServer = await createTestServer({ sandbox: { slowMs: 50 } });
    const response = await fetch(`${testServer.api}/openapi.json`);
    describer = createDescriber((await response.json()) as OpenApiDocument);
  });
  after(() => testServer[Symbol.asyncDispose]());

  /** Makes a call and holds its response to the description; gives the body. */
  async function call(operation: DescribedOperation, status: number, init: CallInit = {}) {
    const { query = '', root = testServer.api, ...rest } = init;
    const response = await fetch(`${root}${operation.path}${query}`, { method: operation.method, ...rest });
    const contentType = response.headers.get('content-type');
    const text = await response.text();
    const isJson = contentType?.startsWith('application/json') === true;
    const body = isJson ? (JSON.parse(text) as Body) : {};
    assert.equal(response.status, status, text);
    describer.assertDescribed(operation, { status, contentType, body });
    assert(response.headers.get('x-request-id'));
    return body;
  }

  const form = (fields: Readonly<Record<string, string>> = {}, filename = 'a.png') => {
    const data = new FormData();
    for (const [name, value] of Object.entries({ ...testServer.fields, ...fields })) data.append(name, value);
    data.append('fileAttachment', new Blob([PICTURE]), filename);
    return { body: data };
  };
  const json = (body: unknown) => ({
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' },
  });
  const wanted = (fields: Readonly<Record<string, unknown>> = {}) =>
    json({
      conversationId: testServer.sandbox.conversationId,
      filename: 'a.png',
      contentType: 'image/png',
      ...fields,
    });

  it('foresees the responses of forwarded and relayed uploads', async () => {
    await call(UPLOAD, 200, form());
    await call(UPLOAD, 200, { ...form(), query: '?mode=relay' });
    const group = form({ isGroupSms: 'true', chatServiceSid: `IS${'0'.repeat(32)}` });
    assert((await call(UPLOAD, 200, group)).twilioMediaSids);
  });

  it('foresees the responses of a direct upload, with and without a head', async () => {
    const direct = await call(UPLOAD, 202, { ...form(), query: '?mode=direct' });
    const withHead = await call(INITIATE, 200, form());
    const initiated = await call(INITIATE, 200, wanted());
    for (const { ticket } of [direct, withHead, initiated]) {
      const headers = { 'Upload-Ticket': ticket ?? '', 'Content-Type': 'image/png' };
      await call(CONTENT, 204, { headers, body: PICTURE });
      await call(COMPLETE, 200, json({ ticket }));
    }
  });

  it('foresees the responses of the service', async () => {
    for (const path of ['/config', '/openapi.json', '/docs']) await call({ method: 'get', path }, 200);
    for (const path of ['/healthz', '/readyz'])
      await call({ method: 'get', path }, 200, { root: testServer.url });
  });

  it('foresees the readiness of a server that drains, and its rejections', async () => {
    await using other = await createTestServer();
    other.server.context.lifecycle.markDraining();
    const readiness = await call({ method: 'get', path: '/readyz' }, 503, { root: other.url });
    assert.deepEqual(readiness.reasons, ['draining']);
    await call({ method: 'get', path: '/config' }, 503, { root: other.api });
    await call(UPLOAD, 503, { ...form(), root: other.api });
  });

  it('foresees rejections of uploads', async () => {
    const cases: [code: string, status: number, init: CallInit][] = [
      ['NOT_MULTIPART', 415, json({})],
      ['BAD_MULTIPART', 400, { headers: { 'Content-Type': 'multipart/form-data; boundary=x' }, body: '--x' }],
      ['MISSING_FIELD', 400, form({ conversationId: '', contactId: '' })],
      ['INVALID_FIELD', 400, form({ conversationId: 'no id' })],
      ['INVALID_FIELD', 400, { ...form(), query: '?mode=fast' }],
      ['LOCATION_NOT_ALLOWED', 403, form({ locationId: 'another' })],
      ['ORIGIN_NOT_ALLOWED', 403, { ...form(), headers: { Origin: 'https://evil.example' } }],
      ['TYPE_NOT_ALLOWED', 415, form({}, 'a.exe')],
      ['TYPE_MISMATCH', 415, form({}, 'a.jpg')],
      ['SIZE_MISMATCH', 400, form({ fileSize: '1' })],
      ['FILE_TOO_LARGE', 413, form({ fileSize: '999999999' })],
    ];
    for (const [code, status, init] of cases) assert.equal((await call(UPLOAD, status, init)).code, code);
  });

  it('foresees what Leadway does wrong', async () => {
    const cases: [fault: string, code: string, status: number][] = [
      ...[400, 404, 413, 415, 422].map((status): [string, string, number] => [
        `status-${status}`,
        'UPSTREAM_REJECTED',
        status,
      ]),
      ['status-500', 'UPSTREAM_ERROR', 502],
      ['html', 'UPSTREAM_ERROR', 502],
      ['bad-token', 'UPSTREAM_AUTH', 502],
      ['cut', 'UPSTREAM_ABORTED', 502],
    ];
    for (const [fault, code, status] of cases) {
      const conversationId = `fault-${fault}`;
      assert.equal((await call(UPLOAD, status, form({ conversationId }))).code, code, fault);
      if (code !== 'UPSTREAM_REJECTED') await call(INITIATE, status, wanted({ conversationId }));
    }
    const relay = { ...form({ conversationId: 'fault-storage-403' }), query: '?mode=relay' };
    assert.equal((await call(UPLOAD, 502, relay)).code, 'STORAGE_REFUSED');
  });

  it('foresees rejections of the steps of a direct upload', async () => {
    const { ticket } = await call(INITIATE, 200, wanted({ fileSize: PICTURE.length }));
    const headers = { 'Upload-Ticket': ticket ?? '' };
    const cases: [code: string, status: number, operation: DescribedOperation, init: CallInit][] = [
      ['NOT_JSON', 415, INITIATE, { body: '{}' }],
      ['BAD_JSON', 400, INITIATE, { ...json([]) }],
      ['MISSING_FIELD', 400, INITIATE, wanted({ filename: '' })],
      ['BAD_FILENAME', 400, INITIATE, wanted({ filename: '../' })],
      ['MISSING_FIELD', 400, CONTENT, { body: PICTURE }],
      ['TICKET_INVALID', 403, CONTENT, { headers: { 'Upload-Ticket': 'no' }, body: PICTURE }],
      ['SIZE_MISMATCH', 400, CONTENT, { headers, body: PICTURE.subarray(1) }],
      ['TYPE_MISMATCH', 415, CONTENT, { headers, body: Buffer.alloc(PICTURE.length, 'a') }],
      ['MISSING_FIELD', 400, COMPLETE, json({})],
      ['TICKET_INVALID', 403, COMPLETE, json({ ticket: 'no' })],
      ['INVALID_FIELD', 400, COMPLETE, json({ ticket, filename: 'b.png' })],
      ['NOT_UPLOADED', 404, COMPLETE, json({ ticket })],
    ];
    for (const [code, status, operation, init] of cases) {
      assert.equal((await call(operation, status, init)).code, code);
    }
  });

  it('foresees the limit of requests', async () => {
    await using other = await createTestServer({ env: { RATE_LIMIT_MAX: '1' } });
    await call(COMPLETE, 400, { ...json({}), root: other.api });
    assert.equal((await call(COMPLETE, 429, { ...json({}), root: other.api })).code, 'RATE_LIMITED');
  });
});

/** What `fetch` takes, and where to call. */
interface CallInit extends Pick<RequestInit, 'body' | 'headers'> {
  readonly query?: string;
  readonly root?: string;
}

interface Body {
  readonly code?: string;
  readonly ticket?: string;
  readonly twilioMediaSids?: readonly string[];
  readonly reasons?: readonly string[];
}
