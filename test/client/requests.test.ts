import assert from 'node:assert/strict';
import { createUploader, type RequestEntry, type UploadError } from '../../client/index.ts';
import { CONFIG, FakePage, forwarded, IDS, signed, textFile } from './fake-page.ts';

const rejection = (promise: Promise<unknown>): Promise<UploadError> =>
  promise.then(
    () => assert.fail('it was fulfilled'),
    (error: UploadError) => error,
  );

describe('a request of the client', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
  });
  afterEach(() => page[Symbol.dispose]());

  it('is made twice at most when fresh headers are rejected too', async () => {
    let calls = 0;
    const headers = () => ({ Authorization: `Bearer stale-${++calls}` });
    page.server = (request) => {
      if (page.requests.length < 5) request.reject(401, 'UNAUTHENTICATED');
      else request.reject(500, 'INTERNAL'); // or a client that never stops asking would stop the tests
    };
    const error = await rejection(createUploader({ headers, language: 'en' }).config());
    assert.equal(error.code, 'UNAUTHENTICATED');
    assert.deepEqual(
      page.requests.map((request) => request.headers['Authorization']),
      ['Bearer stale-1', 'Bearer stale-2'],
    );
  });

  it('is made once when the rejected headers are always the same', async () => {
    page.server = (request) => request.reject(401, 'UNAUTHENTICATED');
    await rejection(createUploader({ headers: { Authorization: 'Bearer t' } }).config());
    assert.equal(page.requests.length, 1);
  });

  it('is not repeated with fresh headers for any other error', async () => {
    page.server = (request) => request.reject(403, 'ORIGIN_NOT_ALLOWED');
    await rejection(createUploader({ headers: () => ({}) }).config());
    assert.equal(page.requests.length, 1);
  });

  it('goes to the endpoint, whether that ends in slashes or not', async () => {
    page.server = (request) => request.respond(200, CONFIG);
    await createUploader({ endpoint: 'https://bff.test/base//' }).config();
    await createUploader({ endpoint: 'https://bff.test/base' }).config();
    await createUploader().config();
    assert.deepEqual(
      page.requests.map(({ url }) => url),
      ['https://bff.test/base/config', 'https://bff.test/base/config', '/api/config'],
    );
  });

  it('asks for the chosen language and sends cookies only where that is wanted', async () => {
    page.server = (request) => request.respond(200, CONFIG);
    await createUploader({ language: 'es' }).config();
    await createUploader({ language: 'en', credentials: 'include' }).config();
    await createUploader({ language: 'en', credentials: 'same-origin' }).config();
    assert.deepEqual(
      page.requests.map(({ headers, xhr }) => [headers['Accept-Language'], xhr.withCredentials]),
      [
        ['es', false],
        ['en', true],
        ['en', false],
      ],
    );
  });

  it('sends storage neither headers, language nor cookies of the server', async () => {
    const options = { credentials: 'include', headers: { Authorization: 'Bearer t' } } as const;
    const upload = createUploader(options).upload(textFile('a.txt', 2_000), IDS);
    (await page.next()).respond(200, CONFIG);
    (await page.next()).respond(200, signed('t1'));
    const put = await page.next();
    assert.deepEqual(put.headers, { 'Content-Type': 'text/plain' });
    assert.equal(put.xhr.withCredentials, false);
    assert.equal(put.url, 'https://storage.test/t1?signature=1');
    put.respond(200, '');
    const complete = await page.next();
    assert.equal(complete.xhr.withCredentials, true);
    assert.equal(complete.headers['Authorization'], 'Bearer t');
    complete.respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
    assert.equal((await upload).mode, 'direct');
  });

  it('is reported when it starts and when it has ended', async () => {
    const entries: RequestEntry[] = [];
    const uploader = createUploader({ onRequest: (entry) => entries.push(entry) });
    const config = uploader.config();
    const request = await page.next();
    assert.equal(entries.length, 1);
    assert.equal(entries[0]?.endedAtMs, undefined);
    await page.tick(250);
    request.respond(200, CONFIG);
    await config;
    assert.equal(entries.length, 2);
    const [started, ended] = entries as [RequestEntry, RequestEntry];
    assert.equal(started.id, ended.id);
    assert.equal((ended.endedAtMs ?? 0) - ended.startedAtMs, 250);
    assert.equal(ended.status, 200);
    assert.equal(ended.code, undefined);
    page.server = (again) => again.reject(503, 'DRAINING');
    await rejection(createUploader({ onRequest: (entry) => entries.push(entry) }).config());
    assert.deepEqual([entries[3]?.status, entries[3]?.code], [503, 'DRAINING']);
    assert.notEqual(entries[3]?.id, ended.id);
  });

  it('fails when nothing is heard for as long as is allowed, and lets the connection go', async () => {
    const failure = rejection(createUploader({ idleTimeoutMs: 1_000 }).config());
    const request = await page.next();
    await page.tick(999);
    assert.equal(request.isAborted, false);
    await page.tick(1);
    const error = await failure;
    assert.equal(error.code, 'NETWORK');
    assert.equal(error.retryable, true);
    assert.equal(request.isAborted, true);
  });

  it('waits two minutes where nothing else is said', async () => {
    const failure = rejection(createUploader().config());
    const request = await page.next();
    await page.tick(119_999);
    assert.equal(request.isAborted, false);
    await page.tick(1);
    assert.equal((await failure).code, 'NETWORK');
  });

  it('lives as long as bytes move in either direction', async () => {
    const upload = createUploader({ idleTimeoutMs: 1_000 }).upload(textFile('a.txt', 100), IDS);
    (await page.next()).respond(200, CONFIG);
    const request = await page.next();
    for (const move of ['upload', 'download', 'upload', 'download'] as const) {
      await page.tick(900);
      if (move === 'upload') request.xhr.upload.onprogress?.({ loaded: 1, total: 100 });
      else request.xhr.onprogress?.();
    }
    assert.equal(request.isAborted, false);
    request.respond(200, forwarded());
    assert.equal((await upload).url, 'https://files.test/a.txt');
  });

  it('reports how much of a file has been sent, all of it in the end', async () => {
    const fractions: number[] = [];
    const upload = createUploader().upload(textFile('a.txt', 100), {
      ...IDS,
      onProgress: ({ phase, fraction }) => {
        if (phase === 'uploading' || phase === 'confirming') fractions.push(fraction);
      },
    });
    (await page.next()).respond(200, CONFIG);
    const request = await page.next();
    request.xhr.upload.onprogress?.({ loaded: 50, total: 200 });
    request.xhr.upload.onload?.();
    assert.deepEqual(fractions, [0, 0.25, 1]);
    request.respond(200, forwarded());
    await upload;
  });

  it('is not taken for a success when it is a page of the network it came through', async () => {
    page.server = (request) => request.respond(200, '<html>Sign in to the guest network</html>');
    const error = await rejection(createUploader({ language: 'en' }).config());
    assert.equal(error.code, 'UPSTREAM_ERROR');
    assert.equal(error.retryable, true);
  });

  it('is a success at any status from 200 to 299', async () => {
    for (const status of [200, 201, 299]) {
      page.server = (request) => request.respond(status, CONFIG);
      assert.deepEqual(await createUploader().config(), CONFIG);
    }
    for (const status of [199, 300]) {
      page.server = (request) => request.respond(status, CONFIG);
      assert.equal((await rejection(createUploader().config())).status, status);
    }
  });

  it('says what an error of a proxy means, and whether it may pass', async () => {
    for (const [status, code, retryable] of [
      [302, 'UPSTREAM_ERROR', true],
      [400, 'UPSTREAM_ERROR', false],
      [401, 'UNAUTHENTICATED', false],
      [404, 'NOT_FOUND', false],
      [408, 'UPSTREAM_ERROR', true],
      [409, 'UPSTREAM_ERROR', false],
      [413, 'BODY_TOO_LARGE', false],
      [429, 'RATE_LIMITED', true],
      [499, 'UPSTREAM_ERROR', false],
      [500, 'UPSTREAM_ERROR', true],
      [502, 'UPSTREAM_ERROR', true],
      [503, 'BUSY', true],
    ] as const) {
      page.server = (request) => request.respond(status, '<html></html>');
      const error = await rejection(createUploader({ language: 'en' }).config());
      assert.deepEqual([error.status, error.code, error.retryable], [status, code, retryable]);
      assert.equal(error.retryAfterMs, undefined);
      if (status === 413) assert.match(error.message, /proxy .*client_max_body_size/);
      else assert.equal(error.message, `The upload failed (error ${status}).`);
    }
  });

  it('takes the time to come back from the header of a proxy', async () => {
    page.server = (request) => request.respond(429, 'slow down', { 'Retry-After': '7' });
    assert.equal((await rejection(createUploader().config())).retryAfterMs, 7_000);
  });

  it('has the words and facts of the server’s own error', async () => {
    const facts = { requestId: 'r1', details: { limit: 5 }, retryAfterMs: 40, retryable: true };
    page.server = (request) => request.reject(429, 'RATE_LIMITED', facts);
    const error = await rejection(createUploader().config());
    assert.equal(error.message, 'Message of RATE_LIMITED');
    const { requestId, details, retryAfterMs, retryable, status } = error;
    assert.deepEqual({ requestId, details, retryAfterMs, retryable, status }, { ...facts, status: 429 });
    page.server = (request) => request.reject(429, 'RATE_LIMITED', { retryable: 'yes' });
    assert.equal((await rejection(createUploader().config())).retryable, false);
    page.server = (request) => request.respond(413, { code: 'FILE_TOO_LARGE' });
    assert.equal((await rejection(createUploader().config())).code, 'BODY_TOO_LARGE');
    page.server = (request) => request.respond(413, { message: 'too large' });
    assert.equal((await rejection(createUploader().config())).code, 'BODY_TOO_LARGE');
  });

  it('that could not get its headers may work later, and is not sent', async () => {
    const cause = new Error('no token');
    const error = await rejection(createUploader({ headers: () => Promise.reject(cause) }).config());
    assert.deepEqual([error.code, error.retryable, error.cause], ['NETWORK', true, cause]);
    const thrown = await rejection(
      createUploader({
        headers: () => {
          throw cause;
        },
      }).config(),
    );
    assert.equal(thrown.code, 'NETWORK');
    assert.equal(page.requests.length, 0);
  });

  it('does not wait for headers once it is cancelled', async () => {
    const cancel = new AbortController();
    page.server = (request) => request.respond(200, CONFIG);
    let calls = 0;
    const headers = () => (calls++ === 0 ? {} : new Promise<Record<string, string>>(() => {}));
    const upload = createUploader({ headers }).upload(textFile('a.txt', 10), {
      ...IDS,
      signal: cancel.signal,
    });
    await page.settle();
    assert.equal(calls, 2);
    cancel.abort(new Error('changed my mind'));
    assert.equal((await rejection(upload)).message, 'changed my mind');
  });

  it('is cut when it is cancelled', async () => {
    const entries: RequestEntry[] = [];
    const cancel = new AbortController();
    const uploader = createUploader({ onRequest: (entry) => entries.push(entry) });
    const upload = uploader.upload(textFile('a.txt', 10), { ...IDS, signal: cancel.signal });
    (await page.next()).respond(200, CONFIG);
    const request = await page.next();
    cancel.abort(new Error('changed my mind'));
    assert.equal((await rejection(upload)).message, 'changed my mind');
    assert.equal(request.isAborted, true);
    assert.deepEqual([entries.at(-1)?.code, entries.at(-1)?.status], ['ABORTED', 0]);
  });
});
