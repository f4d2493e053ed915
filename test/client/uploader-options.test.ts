import assert from 'node:assert/strict';
import { createUploader, type PrepareFile, UploadError, type UploadProgress } from '../../client/index.ts';
import { CONFIG, FakePage, type FakeRequest, forwarded, IDS, QUICK, signed, textFile } from './fake-page.ts';

/** A `sessionStorage` for Node. */
function fakeStorage(): Map<string, string> {
  const values = new Map<string, string>();
  Object.defineProperty(globalThis, 'sessionStorage', {
    value: {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => values.set(key, value),
      removeItem: (key: string) => values.delete(key),
    },
    configurable: true,
  });
  return values;
}

describe('an uploader', () => {
  let page: FakePage;
  let storage: Map<string, string>;
  beforeEach(() => {
    page = new FakePage();
    storage = fakeStorage();
    page.server = (request) => {
      if (request.line === 'GET /config') request.respond(200, CONFIG);
    };
  });
  afterEach(() => {
    page[Symbol.dispose]();
    Reflect.deleteProperty(globalThis, 'sessionStorage');
  });

  /** The next request that is not for the configuration. */
  async function nextUpload(): Promise<FakeRequest> {
    for (;;) {
      const request = await page.next();
      if (request.line !== 'GET /config') return request;
    }
  }

  it('lists MIME types and extensions for the file chooser', async () => {
    assert.equal(await createUploader(QUICK).accept(), 'text/plain,.txt');
    const prepare: PrepareFile = Object.assign((file: File) => file, { converts: ['heic'] });
    assert.equal(await createUploader({ ...QUICK, prepare }).accept(), 'text/plain,.txt,.heic');
  });

  it('says why a type is not accepted in the words of the server, for the file at hand', async () => {
    const rejections = {
      noExtension: 'No extension. {allowed}',
      other: '{extension} files? {allowed}',
      byExtension: { heic: '{filename} is a photo. {allowed}' },
    };
    page.server = (request) => request.respond(200, { ...CONFIG, rejections });
    const uploader = createUploader(QUICK);
    const files = ['IMG.HEIC', 'a.xyz', 'README'].map((name) => textFile(name, 10));
    assert.deepEqual(
      (await uploader.check(files)).map((error) => error?.message),
      ['IMG.HEIC is a photo. TXT', '.xyz files? TXT', 'No extension. TXT'],
    );
  });

  it('passes on whether the channel will deliver the file', async () => {
    const delivery = { verdict: 'warning', reasons: [{ code: 'X', message: 'Large', file: 'a.txt' }] };
    const uploading = createUploader(QUICK).upload(textFile('a.txt', 10), IDS);
    (await nextUpload()).respond(200, { ...forwarded(), delivery });
    assert.deepEqual((await uploading).delivery, delivery);
  });

  describe('where the server says what a channel does not deliver', () => {
    const warnings = {
      SMS: [
        { code: 'A', verdict: 'warning', extensions: ['txt'], aboveBytes: 100, message: 'May be lost.' },
        { code: 'B', verdict: 'unlikely', aboveBytes: 1_000, message: '{filename} is {size}.' },
      ],
    };
    const reason = (code: string, message: string) => ({ code, message, file: 'a.txt' });
    beforeEach(() => {
      const config = { ...CONFIG, delivery: { strict: false, channels: {}, warnings } };
      page.server = (request) => {
        if (request.line === 'GET /config') request.respond(200, config);
      };
    });

    it('says so in check(), by name, size and channel', async () => {
      const uploader = createUploader(QUICK);
      const check = (bytes: number, channel?: string) =>
        uploader.check(textFile('a.txt', bytes), channel ? { channel } : {});
      assert.deepEqual(await check(100), { verdict: 'unknown', reasons: [] });
      assert.deepEqual(await check(101), { verdict: 'warning', reasons: [reason('A', 'May be lost.')] });
      assert.deepEqual(await check(1_001), {
        verdict: 'unlikely',
        reasons: [reason('B', 'a.txt is 0 MB.')],
      });
      assert.deepEqual(await check(1_001, 'whatsapp'), { verdict: 'unknown', reasons: [] });
    });

    it('says so before the file is sent, and the server’s own word after', async () => {
      const all: UploadProgress[] = [];
      const uploading = createUploader(QUICK).upload(textFile('a.txt', 500), {
        ...IDS,
        onProgress: (progress) => all.push(progress),
      });
      const request = await nextUpload();
      assert.equal(all.at(-1)?.delivery?.verdict, 'warning');
      request.respond(200, { ...forwarded(), delivery: { verdict: 'ok', reasons: [] } });
      await uploading;
      assert.equal(all.at(-1)?.delivery?.verdict, 'ok');
    });

    it('sends nothing of a file that will not arrive, where only what is delivered is wanted', async () => {
      const uploader = createUploader(QUICK);
      const options = { ...IDS, onlyDeliverable: true };
      await assert.rejects(uploader.upload(textFile('a.txt', 1_001), options), {
        code: 'NOT_DELIVERABLE',
        message: 'a.txt is 0 MB.',
        retryable: false,
      });
      assert.deepEqual(page.lines, ['GET /config']);
      const uploading = uploader.upload(textFile('a.txt', 1_001), IDS);
      (await nextUpload()).respond(200, signed('t1'));
      (await page.next()).respond(200, '');
      (await page.next()).respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
      assert.equal((await uploading).mode, 'direct');
    });

    it('does not PUT into storage what the server has found out by the leading bytes', async () => {
      const options = { ...IDS, channel: 'WHATSAPP', onlyDeliverable: true };
      const uploading = createUploader(QUICK).upload(textFile('a.txt', 2_000), options);
      const delivery = { verdict: 'unlikely', reasons: [reason('C', 'Coded as HEVC.')] };
      (await nextUpload()).respond(200, { ...signed('t1'), delivery });
      await assert.rejects(uploading, { code: 'NOT_DELIVERABLE', message: 'Coded as HEVC.' });
      assert.deepEqual(page.lines, ['GET /config', 'POST /messages/upload/initiate']);
    });

    it('judges a picture once `prepare` has made it smaller', async () => {
      const prepare: PrepareFile = ({ name }) => textFile(name, 50);
      const all: UploadProgress[] = [];
      const uploading = createUploader({ ...QUICK, prepare }).upload(textFile('a.txt', 1_001), {
        ...IDS,
        onlyDeliverable: true,
        onProgress: (progress) => all.push(progress),
      });
      (await nextUpload()).respond(200, forwarded());
      await uploading;
      assert.equal(all.at(-1)?.delivery?.verdict, 'unknown');
    });
  });

  it('uploads directly what a proxy finds too large to be forwarded', async () => {
    const uploading = createUploader(QUICK).upload(textFile('a.txt', 900), IDS);
    (await nextUpload()).respond(413, '<html>413 Request Entity Too Large</html>');
    const initiate = await nextUpload();
    assert.equal(initiate.line, 'POST /messages/upload/initiate');
    initiate.respond(200, signed('t1'));
    (await nextUpload()).respond(200, '');
    (await nextUpload()).respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
    assert.equal((await uploading).mode, 'direct');
  });

  it('names the limit of the proxy where there is no other mode', async () => {
    const uploading = createUploader(QUICK).upload(textFile('a.txt', 900), { ...IDS, mode: 'forward' });
    (await nextUpload()).respond(413, '<html></html>');
    await assert.rejects(uploading, { code: 'BODY_TOO_LARGE', message: /client_max_body_size/ });
  });

  it('tells the user why an upload waits', async () => {
    const messages = new Set<string | undefined>();
    const onProgress = ({ waitingMessage }: UploadProgress) => messages.add(waitingMessage);
    const uploading = createUploader(QUICK).upload(textFile('a.txt', 10), { ...IDS, onProgress });
    (await nextUpload()).reject(429, 'RATE_LIMITED', { retryable: true, retryAfterMs: 1000 });
    await page.tick(2000);
    (await nextUpload()).respond(200, forwarded());
    await uploading;
    assert.deepEqual(
      [...messages].filter((message) => message !== undefined),
      ['The server is busy. The upload will continue.'],
    );
  });

  it('asks before the page is left, only while uploads are in flight', async () => {
    const leave = () => {
      const event = new Event('beforeunload', { cancelable: true });
      page.dispatch(event);
      return event.defaultPrevented;
    };
    const uploading = createUploader(QUICK).upload(textFile('a.txt', 10), IDS);
    assert.equal(leave(), true);
    (await nextUpload()).respond(200, forwarded());
    await uploading;
    assert.equal(leave(), false);
    const quiet = createUploader({ ...QUICK, confirmLeave: false });
    void quiet.upload(textFile('a.txt', 10), IDS);
    assert.equal(leave(), false);
  });

  describe('with prepare', () => {
    const shrink: PrepareFile = Object.assign(
      (file: File) => new File([file.slice(0, 10)], file.name.replace(/\.\w+$/, '.txt')),
      { converts: ['heic'] },
    );

    it('uploads the prepared file, and reports the original', async () => {
      const phases = new Set<string>();
      const original = textFile('a.heic', 50_000);
      const uploading = createUploader({ ...QUICK, prepare: shrink }).upload(original, {
        ...IDS,
        onProgress: ({ phase }) => phases.add(phase),
      });
      const request = await nextUpload();
      assert(request.body instanceof FormData);
      const sent = request.body.get('fileAttachment');
      assert(sent instanceof File);
      assert.deepEqual([sent.name, sent.size, request.body.get('fileSize')], ['a.txt', 10, '10']);
      request.respond(200, forwarded());
      assert.equal((await uploading).file, original);
      assert(phases.has('preparing'));
    });

    it('accepts in check() what it converts, and rejects the rest', async () => {
      const uploader = createUploader({ ...QUICK, prepare: shrink });
      await uploader.check(textFile('a.heic', 50_000));
      await assert.rejects(uploader.check(textFile('a.exe', 10)), { code: 'TYPE_NOT_ALLOWED' });
    });

    it('uploads the original when preparing fails and the server accepts it', async () => {
      const prepare = () => Promise.reject(new Error('no decoder'));
      const uploader = createUploader({ ...QUICK, prepare });
      const uploading = uploader.upload(textFile('a.txt', 20), IDS);
      const request = await nextUpload();
      assert.equal((request.body as FormData).get('fileSize'), '20');
      request.respond(200, forwarded());
      await uploading;
      await assert.rejects(uploader.upload(textFile('a.txt', 50_000), IDS), { code: 'FILE_TOO_LARGE' });
    });

    it('can be cancelled meanwhile', async () => {
      const cancelling = new AbortController();
      const prepare: PrepareFile = async (file, { signal }) => {
        cancelling.abort(new Error('enough'));
        signal?.throwIfAborted();
        return file;
      };
      const uploading = createUploader({ ...QUICK, prepare }).upload(textFile('a.txt', 10), {
        ...IDS,
        signal: cancelling.signal,
      });
      await assert.rejects(uploading, { message: 'enough' });
      assert(page.lines.every((line) => line === 'GET /config'));
    });
  });

  describe('after a reload', () => {
    /** What an earlier load of the page has left. */
    function leave(...uploads: Readonly<Record<string, unknown>>[]): void {
      const byId = Object.fromEntries(uploads.map((upload, index) => [`earlier-${index}`, upload]));
      storage.set('leadway-bff-client /api', JSON.stringify(byId));
    }

    it('completes what is in storage, and names what was not sent', async () => {
      leave(
        { name: 'a.txt', size: 2_000, conversationId: 'c1', ticket: 't1' },
        { name: 'b.txt', size: 3_000, conversationId: 'c1' },
        { name: 'c.txt', size: 3_000, conversationId: 'another' },
      );
      const recovering = createUploader(QUICK).recover({ conversationId: 'c1' });
      const request = await nextUpload();
      assert.equal(request.line, 'POST /messages/upload/complete');
      assert.equal(request.body, '{"ticket":"t1"}');
      request.respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
      assert.deepEqual(await recovering, {
        completed: [{ name: 'a.txt', url: 'https://files.test/a.txt', mode: 'direct' }],
        interrupted: [{ name: 'b.txt', size: 3_000 }],
      });
      const again = await createUploader(QUICK).recover({ conversationId: 'c1' });
      assert.deepEqual(again, { completed: [], interrupted: [] });
      assert.match(storage.get('leadway-bff-client /api') ?? '', /c\.txt/);
    });

    it('drops a ticket that is no longer valid without a word, and keeps one for a server that is down', async () => {
      for (const [code, status, retryable, isKept] of [
        ['TICKET_INVALID', 403, false, false],
        ['TICKET_EXPIRED', 410, false, false],
        ['DRAINING', 503, true, true],
      ] as const) {
        leave({ name: 'a.txt', size: 2_000, ticket: 't1' });
        const recovering = createUploader(QUICK).recover({});
        (await nextUpload()).reject(status, code, { retryable });
        assert.deepEqual(await recovering, { completed: [], interrupted: [] });
        assert.equal(storage.size === 1, isKept, code);
      }
    });

    it('has the ticket of a file that is in storage, until it is completed', async () => {
      const uploading = createUploader(QUICK).upload(textFile('a.txt', 2_000), IDS);
      (await nextUpload()).respond(200, signed('t1'));
      const put = await nextUpload();
      assert(!/t1/.test(storage.get('leadway-bff-client /api') ?? ''));
      put.respond(200, '');
      const complete = await nextUpload();
      assert.match(storage.get('leadway-bff-client /api') ?? '', /"ticket":"t1"/);
      const own = await createUploader(QUICK).recover({ conversationId: IDS.conversationId });
      assert.deepEqual(
        own,
        { completed: [], interrupted: [] },
        'uploads in flight are not of an earlier load',
      );
      complete.respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
      await uploading;
      assert.equal(storage.size, 0);
    });
  });

  it('has errors whose details have the type of their code', async () => {
    const error = await createUploader(QUICK)
      .check(textFile('a.txt', 6_000))
      .catch((reason) => reason);
    assert(error instanceof UploadError);
    assert(error.is('FILE_TOO_LARGE'));
    const limit: number | undefined = error.details?.limit;
    assert.equal(limit, 5_000);
  });
});
