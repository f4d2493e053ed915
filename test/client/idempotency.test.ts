import assert from 'node:assert/strict';
import { createUploader, type UploadError, type Uploader } from '../../client/index.ts';
import { KEY_PATTERN } from '../../server/idempotency/idempotency.ts';
import { CONFIG, FakePage, type FakeRequest, forwarded, IDS, QUICK, signed, textFile } from './fake-page.ts';

const keyOf = ({ headers }: FakeRequest): string => headers['Idempotency-Key'] ?? '';

describe('the Idempotency-Key of the client', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
    page.server = (request) => {
      if (request.line === 'GET /config') request.respond(200, CONFIG);
    };
  });
  afterEach(() => page[Symbol.dispose]());

  /** The next request for a file. Time passes first, in which a retry may begin. */
  const nextUpload = async (): Promise<FakeRequest> => {
    await page.tick(60_000);
    const request = await page.next();
    return request.line === 'GET /config' ? page.next() : request;
  };
  const upload = (bytes = 10, options = {}) =>
    createUploader(QUICK).upload(textFile('a.txt', bytes), { ...IDS, ...options });

  it('is a new one for each upload, in the form that the server takes', async () => {
    const keys = [];
    for (let count = 0; count < 3; count += 1) {
      const uploading = upload();
      const request = await nextUpload();
      keys.push(keyOf(request));
      assert.match(keyOf(request), KEY_PATTERN);
      request.respond(200, forwarded());
      await uploading;
    }
    assert.equal(new Set(keys).size, 3);
  });

  it('goes to upload, initiate and complete, and never to storage', async () => {
    const uploading = upload(2_000);
    const initiate = await nextUpload();
    initiate.respond(200, signed('t1'));
    const put = await page.next();
    put.respond(200, '');
    const complete = await page.next();
    complete.respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
    await uploading;
    assert.equal(put.headers['Idempotency-Key'], undefined);
    for (const request of [initiate, complete]) assert.match(keyOf(request), KEY_PATTERN);
    assert.notEqual(keyOf(initiate), keyOf(complete));
    assert.equal(keyOf(page.requests[0] as FakeRequest), '', 'the configuration needs none');
  });

  for (const [what, fail] of [
    ['a lost connection', (request) => request.lose()],
    ['an error page of a proxy', (request) => request.respond(504, '<html>504 Gateway Time-out</html>')],
    ['a page of a captive portal', (request) => request.respond(200, '<html>Sign in</html>')],
    ['a timeout of Leadway', (request) => request.reject(504, 'UPSTREAM_TIMEOUT', { retryable: true })],
    [
      'a connection that Leadway broke',
      (request) => request.reject(502, 'UPSTREAM_ABORTED', { retryable: true }),
    ],
  ] as const satisfies readonly [string, (request: FakeRequest) => void][]) {
    it(`is repeated after ${what}, which leaves open what became of the file`, async () => {
      const uploading = upload();
      const first = await nextUpload();
      // The page has read a response from here: a failure is not a missing server.
      fail(first);
      const again = await nextUpload();
      assert.equal(keyOf(again), keyOf(first));
      again.respond(200, forwarded());
      await uploading;
    });
  }

  for (const [status, code] of [
    [502, 'UPSTREAM_ERROR'],
    [503, 'BUSY'],
  ] as const) {
    it(`is a new one after ${code}, which settles the request`, async () => {
      const uploading = upload();
      const first = await nextUpload();
      first.reject(status, code, { retryable: true });
      const again = await nextUpload();
      assert.notEqual(keyOf(again), keyOf(first));
      again.respond(200, forwarded());
      await uploading;
    });
  }

  describe('of a file that is uploaded again', () => {
    /** Fails the one attempt of an upload and gives its key. */
    const failOnce = async (
      uploading: Promise<unknown>,
      fail: (request: FakeRequest) => void = (request) => request.lose(),
    ): Promise<string> => {
      const failure = assert.rejects(uploading);
      const request = await nextUpload();
      fail(request);
      await failure;
      return keyOf(request);
    };
    const succeed = async (uploading: Promise<unknown>): Promise<string> => {
      const request = await nextUpload();
      request.respond(200, forwarded());
      await uploading;
      return keyOf(request);
    };
    const file = () => textFile('a.txt', 10);
    let uploader: Uploader;
    beforeEach(async () => {
      uploader = createUploader({ ...QUICK, retries: 0 });
      await succeed(uploader.upload(file(), IDS));
    });

    it('is that of the upload that failed, until the server has responded', async () => {
      const again = file();
      const lost = await failOnce(uploader.upload(again, IDS));
      const rejected = await failOnce(uploader.upload(again, IDS), (request) =>
        request.reject(409, 'IDEMPOTENCY_UNKNOWN'),
      );
      const anyway = await succeed(uploader.upload(again, IDS));
      assert.equal(rejected, lost, 'a retry by the user');
      assert.notEqual(anyway, lost, 'an upload in spite of the unknown outcome');
    });

    it('is that of a cancelled upload', async () => {
      const again = file();
      const cancelling = new AbortController();
      const { signal } = cancelling;
      const lost = await failOnce(uploader.upload(again, { ...IDS, signal }), () => cancelling.abort());
      assert.equal(await succeed(uploader.upload(again, IDS)), lost);
    });

    it('is a new one for another conversation', async () => {
      const again = file();
      const lost = await failOnce(uploader.upload(again, IDS));
      const other = { ...IDS, conversationId: 'another' };
      assert.notEqual(await succeed(uploader.upload(again, other)), lost);
    });

    it('is a new one for a second upload at the same time, and after success', async () => {
      const again = file();
      const lost = await failOnce(uploader.upload(again, IDS));
      const first = uploader.upload(again, IDS);
      const second = uploader.upload(again, IDS);
      const keys = [];
      for (const request of [await nextUpload(), await page.next()]) {
        keys.push(keyOf(request));
        request.respond(200, forwarded());
      }
      await Promise.all([first, second]);
      keys.push(await succeed(uploader.upload(again, IDS)));
      assert.equal(new Set(keys).size, 3);
      assert.equal(keys[0], lost);
    });
  });

  it('is a new one when only the leading bytes are sent, and the old one when the file is sent again', async () => {
    const config = { ...CONFIG, limits: { ...CONFIG.limits, forwardMaxBytes: 100_000 } };
    page.server = (request) => {
      if (request.line === 'GET /config') request.respond(200, config);
    };
    const uploading = upload(90_000);
    const whole = await nextUpload();
    whole.lose();
    const leading = await page.next();
    leading.reject(400, 'SIZE_MISMATCH');
    const again = await nextUpload();
    assert.notEqual(keyOf(leading), keyOf(whole));
    assert.equal(keyOf(again), keyOf(whole));
    again.respond(200, forwarded());
    await uploading;
  });

  it('is a new one for another mode, and for a signed URL in place of one that failed', async () => {
    const uploading = upload(2_000);
    const keys = [];
    for (const ticket of ['t1', 't2']) {
      const initiate = await nextUpload();
      keys.push(keyOf(initiate));
      initiate.respond(200, signed(ticket));
      (await page.next()).lose(); // storage
    }
    const relay = await nextUpload();
    assert.equal(relay.line, 'POST /messages/upload?mode=relay');
    keys.push(keyOf(relay));
    relay.respond(200, { ...forwarded(), mode: 'relay' });
    await uploading;
    assert.equal(new Set(keys).size, 3);
  });

  it('is repeated when complete is, until the server has responded', async () => {
    const uploading = upload(2_000);
    (await nextUpload()).respond(200, signed('t1'));
    (await page.next()).respond(200, '');
    const keys = [];
    for (const fail of [
      (request: FakeRequest) => request.lose(),
      (request: FakeRequest) => request.reject(504, 'UPSTREAM_TIMEOUT', { retryable: true }),
    ]) {
      const complete = await nextUpload();
      assert.equal(complete.line, 'POST /messages/upload/complete');
      keys.push(keyOf(complete));
      fail(complete);
    }
    const last = await nextUpload();
    keys.push(keyOf(last));
    last.respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
    await uploading;
    assert.equal(keys[0], keys[1]);
    assert.notEqual(keys[1], keys[2], 'completing twice stores nothing twice');
  });

  it('lets complete be tried again when its outcome is unknown: that stores nothing twice', async () => {
    const uploading = upload(2_000);
    (await nextUpload()).respond(200, signed('t1'));
    (await page.next()).respond(200, '');
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { details: { outcome: 'unknown' } });
    (await nextUpload()).reject(409, 'IDEMPOTENCY_UNKNOWN');
    (await nextUpload()).respond(200, { uploadedFiles: { 'a.txt': 'https://files.test/a.txt' } });
    assert.equal((await uploading).name, 'a.txt');
  });

  for (const [status, code] of [
    [409, 'IDEMPOTENCY_UNKNOWN'],
    [422, 'IDEMPOTENCY_MISMATCH'],
  ] as const) {
    it(`sends nothing again after ${code}: the user has to look first`, async () => {
      const failure = upload().then(
        () => assert.fail('it was uploaded'),
        (error: UploadError) => error,
      );
      (await nextUpload()).lose();
      (await nextUpload()).reject(status, code);
      const error = await failure;
      assert.equal(`${error.code} ${error.retryable}`, `${code} false`);
      const before = page.requests.length;
      await page.tick(600_000);
      assert.equal(page.requests.length, before);
    });
  }
});
