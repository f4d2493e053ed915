import assert from 'node:assert/strict';
import { createUploader, type UploadError, type UploadProgress } from '../../client/index.ts';
import { CONFIG, FakePage, forwarded, IDS, QUICK, textFile } from './fake-page.ts';

/** Hears how an upload ends without throwing. */
function watch<T>(promise: Promise<T>): { value?: T; error?: UploadError } {
  const end: { value?: T; error?: UploadError } = {};
  promise.then(
    (value) => {
      end.value = value;
    },
    (error: UploadError) => {
      end.error = error;
    },
  );
  return end;
}

describe('an upload that may work later', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
    page.server = (request) => {
      if (request.line === 'GET /config') request.respond(200, CONFIG);
    };
  });
  afterEach(() => page[Symbol.dispose]());

  /** Takes the request for the server's settings out of the way. */
  const nextUpload = async () => {
    const request = await page.next();
    return request.line === 'GET /config' ? page.next() : request;
  };

  it('is repeated after a pause that doubles, at most five times', async () => {
    const end = watch(createUploader(QUICK).upload(textFile('a.txt', 10), IDS));
    // Three quarters of 1, 2, 4, 8 and 16 s: the middle of what is chosen at random.
    for (const pauseMs of [750, 1_500, 3_000, 6_000, 12_000]) {
      (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true });
      const before = page.requests.length;
      await page.tick(pauseMs - 1);
      assert.equal(page.requests.length, before, `${pauseMs} ms have not passed`);
      await page.tick(1);
      assert.equal(page.requests.length, before + 1);
    }
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true });
    await page.settle();
    assert.equal(end.error?.code, 'UPSTREAM_ERROR');
  });

  it('is repeated after half a minute at most', async () => {
    const options = { ...QUICK, retries: 3, retryDelayMs: 25_000 };
    watch(createUploader(options).upload(textFile('a.txt', 10), IDS));
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true });
    await page.tick(18_750);
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true });
    await page.tick(22_499);
    assert.equal(page.requests.length, 3);
    await page.tick(1);
    assert.equal(page.requests.length, 4);
  });

  it('waits as long as the server says where that is longer', async () => {
    const all: UploadProgress[] = [];
    const upload = createUploader({ ...QUICK, retryDelayMs: 20 }).upload(textFile('a.txt', 10), {
      ...IDS,
      onProgress: (progress) => all.push(progress),
    });
    const end = watch(upload);
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true, retryAfterMs: 5_000 });
    await page.settle();
    assert.deepEqual(
      [all.at(-1)?.phase, all.at(-1)?.waitingFor, all.at(-1)?.retryAtMs],
      ['waiting', 'UPSTREAM_ERROR', Date.now() + 5_000],
    );
    await page.tick(4_999);
    assert.equal(page.requests.length, 2);
    await page.tick(1);
    (await nextUpload()).respond(200, forwarded());
    await page.settle();
    assert.equal(end.value?.name, 'a.txt');
  });

  it('fails at once when it can only fail again', async () => {
    const end = watch(createUploader(QUICK).upload(textFile('a.txt', 10), IDS));
    (await nextUpload()).reject(400, 'INVALID_FIELD', { retryAfterMs: 5 });
    await page.settle();
    assert.equal(end.error?.code, 'INVALID_FIELD');
    await page.tick(60_000);
    assert.equal(page.requests.length, 2);
  });

  for (const [status, code] of [
    [429, 'RATE_LIMITED'],
    [503, 'BUSY'],
  ] as const) {
    it(`waits as long as a ${status} asks for, without counting a retry`, async () => {
      const uploader = createUploader({ ...QUICK, retries: 0 });
      const all: UploadProgress[] = [];
      const onProgress = (progress: UploadProgress) => all.push(progress);
      const end = watch(uploader.upload(textFile('a.txt', 10), { ...IDS, onProgress }));
      for (let round = 0; round < 3; round += 1) {
        (await nextUpload()).reject(status, code, { retryable: true, retryAfterMs: 60_000 });
        await page.settle();
        const { phase, waitingFor, retryAtMs = 0 } = all.at(-1) as UploadProgress;
        assert.deepEqual([phase, waitingFor], ['waiting', code]);
        assert(retryAtMs - Date.now() >= 60_000, `comes back ${retryAtMs - Date.now()} ms later`);
        const before = page.requests.length;
        await page.tick(59_999);
        assert.equal(page.requests.length, before, 'nothing is asked before');
        await page.tick(501);
        assert.equal(page.requests.length, before + 1);
      }
      (await nextUpload()).respond(200, forwarded());
      await page.settle();
      assert.equal(end.value?.name, 'a.txt');
    });
  }

  it('holds the other uploads back too, each for its own time after that', async () => {
    const uploader = createUploader({ ...QUICK, retries: 0, concurrency: 1 });
    const ends = ['a.txt', 'b.txt'].map((name) => watch(uploader.upload(textFile(name, 10), IDS)));
    (await nextUpload()).reject(503, 'DRAINING', { retryable: true, retryAfterMs: 10_000 });
    await page.tick(10_499);
    assert.equal(page.requests.length, 2);
    await page.tick(1);
    assert.equal(page.requests.length, 3);
    (await nextUpload()).respond(200, forwarded());
    (await nextUpload()).respond(200, forwarded('b.txt'));
    await page.settle();
    assert.deepEqual(
      ends.map(({ value }) => value?.name),
      ['a.txt', 'b.txt'],
    );
  });

  it('keeps to the longest time that any of them was given', async () => {
    const uploader = createUploader({ ...QUICK, retries: 0 });
    for (const name of ['a.txt', 'b.txt']) watch(uploader.upload(textFile(name, 10), IDS));
    const [first, second] = [await nextUpload(), await nextUpload()];
    first.reject(429, 'RATE_LIMITED', { retryable: true, retryAfterMs: 60_000 });
    second.reject(503, 'BUSY', { retryable: true, retryAfterMs: 1_000 });
    await page.tick(59_999);
    assert.equal(page.requests.length, 3);
    await page.tick(1_001);
    assert.equal(page.requests.length, 5);
  });

  it('is held back for half a second at least', async () => {
    watch(createUploader({ ...QUICK, retries: 0 }).upload(textFile('a.txt', 10), IDS));
    (await nextUpload()).reject(429, 'RATE_LIMITED', { retryable: true, retryAfterMs: 1 });
    await page.tick(499);
    assert.equal(page.requests.length, 2);
    await page.tick(251);
    assert.equal(page.requests.length, 3);
  });

  it('counts a retry where a 429 or 503 names no time, or another status does', async () => {
    for (const [status, facts] of [
      [429, { retryable: true }],
      [503, { retryable: true }],
      [500, { retryable: true, retryAfterMs: 5_000 }],
      [429, { retryable: false, retryAfterMs: 5_000 }],
    ] as const) {
      const end = watch(createUploader({ ...QUICK, retries: 0 }).upload(textFile('a.txt', 10), IDS));
      (await nextUpload()).reject(status, 'RATE_LIMITED', facts);
      await page.settle();
      assert.equal(end.error?.status, status);
    }
  });

  it('gives up when the waits would come to more than an hour', async () => {
    const end = watch(createUploader({ ...QUICK, retries: 0 }).upload(textFile('a.txt', 10), IDS));
    const halfHour = { retryable: true, retryAfterMs: 1_800_000 };
    (await nextUpload()).reject(429, 'RATE_LIMITED', halfHour);
    await page.tick(1_801_000);
    (await nextUpload()).reject(429, 'RATE_LIMITED', halfHour);
    await page.tick(1_801_000);
    const early = end.error;
    assert.equal(early, undefined, 'an hour is allowed');
    (await nextUpload()).reject(429, 'RATE_LIMITED', { retryable: true, retryAfterMs: 1_000 });
    await page.settle();
    assert.equal(end.error?.code, 'RATE_LIMITED');
  });

  it('waits for the network where there is none, and asks again after a minute', async () => {
    const all: UploadProgress[] = [];
    const end = watch(
      createUploader({ ...QUICK, retries: 0 }).upload(textFile('a.txt', 10), {
        ...IDS,
        onProgress: (progress) => all.push(progress),
      }),
    );
    const request = await nextUpload();
    page.isOnline = false;
    request.lose();
    await page.settle();
    assert.deepEqual([all.at(-1)?.phase, all.at(-1)?.waitingFor], ['waiting', 'OFFLINE']);
    await page.tick(59_999);
    assert.equal(page.requests.length, 2);
    await page.tick(1);
    (await nextUpload()).lose();
    await page.settle();
    page.isOnline = true;
    await page.settle();
    (await nextUpload()).respond(200, forwarded());
    await page.settle();
    assert.equal(end.value?.name, 'a.txt');
  });

  it('counts a lost connection as a retry where there is a network', async () => {
    page.isOnline = true;
    const end = watch(createUploader({ ...QUICK, retries: 0 }).upload(textFile('a.txt', 10), IDS));
    (await nextUpload()).lose();
    await page.settle();
    assert.equal(end.error?.code, 'NETWORK');
    assert.equal(end.error?.message, 'The server can’t be reached from this page.');
  });

  it('fails for good when the file can’t be read any more', async () => {
    const file = textFile('a.txt', 10);
    const cause = new DOMException('changed on the disk', 'NotReadableError');
    const end = watch(createUploader(QUICK).upload(file, IDS));
    const request = await nextUpload();
    Object.defineProperty(file, 'slice', { value: () => ({ arrayBuffer: () => Promise.reject(cause) }) });
    request.lose();
    await page.settle();
    assert.deepEqual([end.error?.code, end.error?.cause], ['UNREADABLE', cause]);
    assert.equal(page.requests.length, 2);
  });

  it('ends its wait when it is cancelled', async () => {
    const cancel = new AbortController();
    const end = watch(createUploader(QUICK).upload(textFile('a.txt', 10), { ...IDS, signal: cancel.signal }));
    (await nextUpload()).reject(502, 'UPSTREAM_ERROR', { retryable: true });
    await page.settle();
    cancel.abort(new Error('changed my mind'));
    await page.settle();
    assert.equal(end.error?.message, 'changed my mind');
    await page.tick(60_000);
    assert.equal(page.requests.length, 2);
  });

  it('is not repeated for an error of the page’s own', async () => {
    const end = watch(
      createUploader({
        ...QUICK,
        onRequest({ url }) {
          if (url.endsWith('/upload')) throw new TypeError('broken listener');
        },
      }).upload(textFile('a.txt', 10), IDS),
    );
    await page.tick(60_000);
    assert(end.error instanceof TypeError, String(end.error));
  });
});
