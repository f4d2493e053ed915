import assert from 'node:assert/strict';
import { createUploadStore } from '../../client/store.ts';
import { createFakeUploader, type FakeOutcome, uploadHandlers } from '../../client/testing.ts';

const ids = { conversationId: 'c1' };
const file = (name: string) => new File(['hello'], name);

describe('the fake uploader', () => {
  it('uploads every file that has no outcome of its own, and remembers it', async () => {
    const uploader = createFakeUploader({ 'b.txt': { url: 'https://x.example/b' } });
    const phases: string[] = [];
    const onProgress = ({ phase }: { phase: string }) => phases.push(phase);
    assert.equal(
      (await uploader.upload(file('a.txt'), { ...ids, onProgress })).url,
      'https://files.example/a.txt',
    );
    assert.equal((await uploader.upload(file('b.txt'), ids)).url, 'https://x.example/b');
    assert.deepEqual(phases, ['waiting', 'checking', 'uploading', 'confirming', 'done']);
    assert.deepEqual(
      uploader.uploads.map(({ file: { name } }) => name),
      ['a.txt', 'b.txt'],
    );
  });

  it('fails with the code of the script', async () => {
    const uploader = createFakeUploader({ 'a.exe': { code: 'TYPE_NOT_ALLOWED', message: 'No programs.' } });
    await assert.rejects(uploader.upload(file('a.exe'), ids), {
      code: 'TYPE_NOT_ALLOWED',
      message: 'No programs.',
    });
    const [good, bad] = await uploader.uploadAll([file('a.txt'), file('a.exe')], ids);
    assert.equal(good?.status, 'fulfilled');
    assert.equal(bad?.status, 'rejected');
  });

  it('keeps a file uploading until the test says so, and can be cancelled', async () => {
    const { promise, resolve } = Promise.withResolvers<FakeOutcome>();
    const store = createUploadStore(createFakeUploader(() => promise));
    const [first, second] = store.add([file('a.txt'), file('b.txt')], ids);
    await new Promise((next) => setImmediate(next));
    assert.equal(store.getSnapshot()[0]?.state, 'uploading');
    store.cancel(second?.id ?? '');
    resolve({});
    await new Promise((next) => setImmediate(next));
    assert.equal(first?.id, store.getSnapshot()[0]?.id);
    assert.deepEqual(
      store.getSnapshot().map(({ state }) => state),
      ['done', 'cancelled'],
    );
  });
});

describe('the handlers for Mock Service Worker', () => {
  type Resolver = (info: { readonly request: Request }) => Response | Promise<Response>;
  type Handler = readonly [method: string, path: string, resolver: Resolver];
  const add =
    (method: string) =>
    (path: string, resolver: Resolver): Handler => [method, path, resolver];
  const msw = { http: { get: add('GET'), post: add('POST'), put: add('PUT'), options: add('OPTIONS') } };

  /** Sends a request to the handlers. */
  async function send(handlers: readonly Handler[], method: string, path: string, body?: BodyInit) {
    const handler = handlers.find(([one, pattern]) => one === method && pattern === `*/api${path}`);
    assert(handler !== undefined, `${method} ${path} has a handler`);
    const request = new Request(`http://app.test/api${path}`, {
      method,
      ...(body !== undefined && { body }),
    });
    return handler[2]({ request });
  }

  it('take a file through every mode', async () => {
    const handlers: Handler[] = uploadHandlers(msw);
    const form = new FormData();
    form.append('fileAttachment', file('a.txt'), 'a.txt');
    const forwarded = await send(handlers, 'POST', '/messages/upload', form);
    assert.deepEqual(await forwarded.json(), {
      mode: 'forward',
      uploadedFiles: { 'a.txt': 'https://files.example/a.txt' },
    });
    const { ticket } = (await (
      await send(handlers, 'POST', '/messages/upload/initiate', '{"filename":"b.txt"}')
    ).json()) as { ticket: string };
    assert.equal((await send(handlers, 'PUT', '/messages/upload/content', 'x')).status, 204);
    const done = await send(handlers, 'POST', '/messages/upload/complete', JSON.stringify({ ticket }));
    assert.deepEqual(await done.json(), { uploadedFiles: { 'b.txt': 'https://files.example/b.txt' } });
    assert.equal((await send(handlers, 'GET', '/config')).status, 200);
  });

  it('read the name of a file where the test environment has its own File', async () => {
    const { File } = globalThis;
    const form = new FormData();
    form.append('fileAttachment', file('a.txt'), 'a.txt');
    const request = new Request('http://app.test/api/messages/upload', { method: 'POST', body: form });
    const [, , upload] = uploadHandlers(msw).find(([method]: Handler) => method === 'POST') as Handler;
    try {
      globalThis.File = class extends Blob {} as unknown as typeof File; // as jsdom and happy-dom do
      const { uploadedFiles } = (await (await upload({ request })).json()) as { uploadedFiles: object };
      assert.deepEqual(uploadedFiles, { 'a.txt': 'https://files.example/a.txt' });
    } finally {
      globalThis.File = File;
    }
  });

  it('let a page of another origin put a file into storage', async () => {
    const handlers: Handler[] = uploadHandlers(msw);
    for (const method of ['OPTIONS', 'PUT']) {
      const [, url, respond] = handlers.find(([one]) => one === method) as Handler;
      const response = await respond({ request: new Request(url, { method }) });
      assert(response.ok);
      assert.equal(response.headers.get('Access-Control-Allow-Origin'), '*');
    }
  });

  it('fail with the code that a test asks for, in the shape of the server', async () => {
    const handlers: Handler[] = uploadHandlers(msw, { fail: { upload: 'FILE_TOO_LARGE', config: 'BUSY' } });
    const tooLarge = await send(handlers, 'POST', '/messages/upload', 'x');
    assert.equal(tooLarge.status, 413);
    assert.equal(((await tooLarge.json()) as { code: string }).code, 'FILE_TOO_LARGE');
    assert.equal((await send(handlers, 'GET', '/config')).status, 503);
  });
});
