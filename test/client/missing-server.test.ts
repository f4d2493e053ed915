import assert from 'node:assert/strict';
import { createUploader, type UploadError } from '../../client/index.ts';
import { CONFIG, FakePage, forwarded, IDS, textFile } from './fake-page.ts';

let lastEndpoint = 0;

/** An endpoint that no test has had a response from. */
const newEndpoint = (): string => `https://uploads.test/${++lastEndpoint}`;

describe('an endpoint without an upload server', () => {
  let page: FakePage;
  beforeEach(() => {
    page = new FakePage();
    Object.defineProperty(globalThis, 'location', {
      value: { href: 'https://app.test/chat', origin: 'https://app.test', protocol: 'https:' },
      configurable: true,
    });
  });
  afterEach(() => {
    page[Symbol.dispose]();
    Reflect.deleteProperty(globalThis, 'location');
  });

  /** Uploads a file to `endpoint` while the test responds, and resolves to the error. */
  async function fail(endpoint: string, respond: (one: Awaited<ReturnType<FakePage['next']>>) => void) {
    const uploading = createUploader({ endpoint, language: 'en' }).upload(textFile('a.txt', 10), IDS);
    const failed = uploading.then(
      () => assert.fail('it was uploaded'),
      (error: UploadError) => error,
    );
    respond(await page.next());
    const error = await failed;
    assert.equal(page.requests.length, 1, 'nothing was retried');
    assert.equal(error.code, 'SERVER_NOT_FOUND');
    return error;
  }

  for (const [what, status, responseURL, reason, words] of [
    ['a web page', 200, '', 'html', /is not the upload server .* proxy this path/],
    ['a 404 of another server', 404, '', 'html', /is not the upload server .*404/],
    ['a 502 of a proxy', 502, '', 'status', /start it, or correct the proxy’s target/],
    ['a page to sign in', 200, 'https://login.test/', 'redirect', /redirected.*sign in/],
  ] as const) {
    it(`fails at once when ${what} comes instead`, async () => {
      const error = await fail(newEndpoint(), (request) => {
        request.xhr.responseURL = responseURL;
        request.respond(status, '<!doctype html><title>Page</title>');
      });
      assert.equal(error.is('SERVER_NOT_FOUND') && error.details?.reason, reason);
      assert.match(error.message, words);
      assert.equal(error.retryable, true, 'a person may try again');
    });
  }

  it('fails at once when another origin does not respond, or does not allow the page', async () => {
    const error = await fail(newEndpoint(), (request) => request.lose());
    assert.equal(error.is('SERVER_NOT_FOUND') && error.details?.reason, 'cors');
    assert.match(
      error.message,
      /responds at https:.*start the upload server.*add https:\/\/app\.test to its ALLOWED_ORIGINS/,
    );
  });

  it('is explained in Spanish too', async () => {
    const uploader = createUploader({ endpoint: newEndpoint(), language: 'es' });
    page.server = (request) => request.respond(502, 'Bad Gateway');
    await assert.rejects(uploader.config(), { message: /arráncalo o corrige el destino del proxy/ });
  });

  it('is not assumed once it has responded: a restart of the server is outlived', async () => {
    const endpoint = newEndpoint();
    const uploader = createUploader({ endpoint, language: 'en' });
    const uploading = uploader.upload(textFile('a.txt', 10), IDS);
    (await page.next()).respond(200, CONFIG);
    (await page.next()).lose();
    await page.tick(1000);
    (await page.next()).respond(502, '<html></html>');
    await page.tick(2000);
    (await page.next()).respond(200, forwarded());
    assert.equal((await uploading).mode, 'forward');
    // Another uploader of the page knows it too.
    const again = createUploader({ endpoint }).upload(textFile('b.txt', 10), IDS);
    (await page.next()).lose();
    await page.tick(1000);
    (await page.next()).respond(200, CONFIG);
    (await page.next()).respond(200, forwarded('b.txt'));
    assert.equal((await again).name, 'b.txt');
  });

  it('has not responded while the browser is offline', async () => {
    const uploading = createUploader({ endpoint: newEndpoint() }).upload(textFile('a.txt', 10), IDS);
    page.isOnline = false;
    (await page.next()).lose();
    (await page.next()).lose();
    await page.settle();
    page.isOnline = true;
    (await page.next()).respond(200, CONFIG);
    (await page.next()).respond(200, forwarded());
    assert.equal((await uploading).mode, 'forward');
  });
});
