import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { begin, initiate, postJson, put, type Received, send, sha256 } from './send.ts';

describe('sandbox direct upload', () => {
  let now = Date.parse('2026-01-02T03:04:05.678Z');
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await createSandbox({ now: () => now, corsOrigins: ['https://app.example'] });
  });
  afterEach(() => sandbox.reset());
  after(() => sandbox.close());

  const complete = (ticket: Received, more: Record<string, unknown> = {}) =>
    postJson(sandbox, '/upload/complete', {
      uploadId: ticket.json.uploadId,
      filePath: ticket.json.filePath,
      locationId: sandbox.locationId,
      conversationId: sandbox.conversationId,
      filename: 'note.txt',
      ...more,
    });

  it('goes from initiate by PUT to complete', async () => {
    const ticket = await initiate(sandbox);
    assert.equal(ticket.status, 200);
    assert.deepEqual(Object.keys(ticket.json), [
      'uploadUrl',
      'uploadId',
      'filePath',
      'expiresAt',
      'maxFileSize',
    ]);
    assert.equal(ticket.json.expiresAt, Date.parse('2026-01-02T03:19:05Z'));
    assert.equal(ticket.json.maxFileSize, 5 * 1024 * 1024);
    const url = new URL(ticket.json.uploadUrl);
    assert.equal(url.origin, sandbox.storageOrigin);
    assert.equal(url.searchParams.get('X-Goog-SignedHeaders'), 'content-type;host');
    assert.equal(url.searchParams.get('X-Goog-Date'), '20260102T030405Z');

    const bytes = randomBytes(500_000);
    const stored = await put(ticket.json.uploadUrl, bytes, { Origin: 'https://app.example' });
    assert.deepEqual([stored.status, stored.text], [200, '']);
    assert.equal(stored.headers['access-control-allow-origin'], 'https://app.example');
    assert.ok(stored.headers.etag);
    assert.match(String(stored.headers['x-goog-hash']), /^md5=/);

    const done = await complete(ticket);
    assert.equal(done.status, 200);
    assert.deepEqual(done.json.metadata, { size: 500_000, contentType: 'text/plain' });
    const shown = await send(done.json.uploadedFiles['note.txt']);
    assert.deepEqual([shown.status, shown.headers['content-length']], [200, '500000']);

    assert.deepEqual(
      sandbox.requests.map((r) => `${r.service} ${r.method} ${r.complete}`),
      ['leadway POST true', 'storage PUT true', 'leadway POST true', 'storage GET true'],
    );
    assert.equal(sandbox.requests[1]?.files?.[0]?.sha256, sha256(bytes));
    assert.deepEqual(sandbox.requests[0]?.json, {
      locationId: sandbox.locationId,
      conversationId: sandbox.conversationId,
      filename: 'note.txt',
      contentType: 'text/plain',
      channel: 'SMS',
    });
  });

  it('initiate checks fields, type, size and location', async () => {
    const status = async (more: Record<string, unknown>) => (await initiate(sandbox, more)).status;
    assert.deepEqual((await initiate(sandbox, { channel: undefined, filename: '' })).json.message, [
      'filename should not be empty',
      'channel must be a string',
    ]);
    assert.equal(await status({ contentType: 'image/png' }), 400);
    assert.equal(await status({ filename: 'page.html', contentType: 'text/html' }), 400);
    assert.equal(await status({ fileSize: 'big' }), 400);
    assert.equal(await status({ fileSize: 5 * 1024 * 1024 }), 200);
    assert.equal(await status({ fileSize: 5 * 1024 * 1024 + 1 }), 413);
    assert.equal(await status({ fileSize: 100 * 1024 * 1024, channel: 'WHATSAPP' }), 200);
    assert.equal(await status({ fileSize: 100 * 1024 * 1024 + 1, channel: 'WHATSAPP' }), 413);
    assert.equal(await status({ locationId: 'another' }), 403);
    assert.equal(await status({ conversationId: 'missing' }), 500);
  });

  it('responds to complete with 404 before the file is stored', async () => {
    const ticket = await initiate(sandbox);
    assert.equal((await complete(ticket)).status, 404);
    assert.equal((await complete(ticket, { filePath: 'location/x' })).status, 404);
  });

  it('complete rejects what does not belong together', async () => {
    const ticket = await initiate(sandbox);
    await put(ticket.json.uploadUrl, 'hola');
    assert.equal((await complete(ticket, { uploadId: 'other' })).status, 400);
    assert.equal((await complete(ticket, { conversationId: 'other' })).status, 400);
    assert.equal((await complete(ticket, { filename: 'note.png' })).status, 400);
    assert.equal((await complete(ticket, { locationId: 'other' })).status, 403);
    assert.equal((await complete(ticket, { uploadId: undefined })).status, 400);
    assert.equal((await complete(ticket)).status, 200);
  });

  it('complete rejects a stored file over the limit', async () => {
    const ticket = await initiate(sandbox);
    await put(ticket.json.uploadUrl, Buffer.alloc(5 * 1024 * 1024 + 1));
    assert.equal((await complete(ticket)).status, 400);
  });

  it('binds the signed URL to method, object, type, host and every parameter', async () => {
    const { json } = await initiate(sandbox);
    const url: string = json.uploadUrl;
    const rejected = [
      put(url, 'x', { 'Content-Type': 'text/html' }),
      put(url.replace('.txt?', '.png?'), 'x'),
      put(url.replace('X-Goog-Expires=900', 'X-Goog-Expires=90000'), 'x'),
      put(`${url}&response-content-type=text/html`, 'x'),
      put(
        url.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        'x',
      ),
      put(url, 'x', { Host: 'storage.example' }),
      send(url, { headers: { 'Content-Type': 'text/plain' } }),
    ];
    for (const response of await Promise.all(rejected)) {
      assert.equal(response.status, 403);
      assert.match(response.text, /<Code>SignatureDoesNotMatch<\/Code>/);
      assert.equal(response.headers['access-control-allow-origin'], undefined);
    }
    const unsigned = await put(url.split('?')[0] ?? '', 'x');
    assert.match(unsigned.text, /<Code>AccessDenied<\/Code>/);
    const untyped = await send(url, { method: 'PUT', body: 'x' });
    assert.deepEqual([untyped.status, /MalformedSecurityHeader/.test(untyped.text)], [400, true]);
    assert.equal((await put(url, 'x')).status, 200);
  });

  it('lets the signed URL expire, and leaves the CORS headers off the error', async () => {
    const ticket = await initiate(sandbox);
    now = ticket.json.expiresAt - 1;
    assert.equal((await put(ticket.json.uploadUrl, 'x')).status, 200);
    now = ticket.json.expiresAt;
    const response = await put(ticket.json.uploadUrl, 'x', { Origin: 'https://app.example' });
    assert.equal(response.status, 400);
    assert.match(response.text, /<Code>ExpiredToken<\/Code>/);
    assert.equal(response.headers['access-control-allow-origin'], undefined);
  });

  it('stores nothing of a PUT that was cut short', async () => {
    const ticket = await initiate(sandbox);
    const req = begin(ticket.json.uploadUrl, {
      method: 'PUT',
      headers: { 'Content-Type': 'text/plain', 'Content-Length': '1000' },
    });
    req.on('error', () => {});
    req.write('half');
    await sandbox.waitFor((all) => all[1]?.bodyBytes === 4);
    req.destroy();
    await sandbox.waitFor((all) => all[1]?.aborted === true);
    assert.equal(sandbox.requests[1]?.files?.[0]?.complete, false);
    assert.equal((await complete(ticket)).status, 404);
  });

  it('responds to a preflight only as the bucket is configured', async () => {
    const ticket = await initiate(sandbox);
    const preflight = (origin: string, headers: string, method = 'PUT') =>
      send(ticket.json.uploadUrl, {
        method: 'OPTIONS',
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': method,
          'Access-Control-Request-Headers': headers,
        },
      });
    const allowed = await preflight('https://app.example', 'content-type');
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers['access-control-allow-origin'], 'https://app.example');
    assert.match(String(allowed.headers['access-control-allow-methods']), /PUT/);
    assert.match(String(allowed.headers['access-control-allow-headers']), /content-type/);
    assert.equal(allowed.headers['access-control-max-age'], '3600');
    const others = [
      preflight('https://evil.example', 'content-type'),
      preflight('https://app.example', 'content-type,x-requested-with'),
      preflight('https://app.example', 'content-type', 'DELETE'),
    ];
    for (const { status, headers } of await Promise.all(others)) {
      assert.deepEqual([status, headers['access-control-allow-origin']], [200, undefined]);
      assert.equal(headers['access-control-allow-methods'], undefined);
    }
  });
});
