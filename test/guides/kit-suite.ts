import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Frame, Page } from 'puppeteer-core';
import { type BrowserKind, describeInBrowsers } from '../helpers/browser.ts';
import { pickFiles } from '../helpers/browser-page.ts';
import { mp4 } from '../helpers/multipart.ts';
import type { TestServer, TestServerOptions } from '../helpers/test-server.ts';
import { type OpenGuide, openGuide } from './guide-page.ts';

/** How a person uses the page of a guide. */
export interface Kit {
  readonly guide: string;
  readonly entry?: string;
  /** The file input, which may be hidden. */
  readonly input: string;
  /** Where a URL is to be seen at the end, as text. */
  readonly urls: string;
  /** Where an error is to be seen, as text. */
  readonly errors: string;
  /** What cancels the one file in flight. */
  readonly cancel: string;
  /** What starts the upload of chosen files, where choosing them does not. */
  readonly start?: string;
  /** Shows that the one file has been cancelled. */
  isCancelled(page: Page): Promise<unknown>;
  /** Whether it sends by itself, and not by our client, whose languages are tested there. Default false. */
  readonly sendsItself?: boolean;
  /** Whether its file chooser is told what the server accepts. Default true. */
  readonly isOffering?: boolean;
  /** Whether large files are tried, which go straight into storage. Default true. */
  readonly isDirect?: boolean;
}

/** Three files that are what they say. */
export const PATHS = ['picture.png', 'writer.pdf', 'utf8.txt'].map((name) =>
  fileURLToPath(new URL(`../fixtures/types/${name}`, import.meta.url)),
);
/** A PNG that says it is a JPEG. */
export const DISGUISED = `new File([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), '.'.repeat(5000)], 'holiday.jpg', { type: 'image/jpeg' })`;

/** Leadway reads about 4 MB a second: slow enough to be cancelled on a busy machine, quick enough to notice that. */
const SLOW: TestServerOptions = { env: { FORWARD_MAX_BYTES: '100000000' }, sandbox: { slowMs: 150 } };

/** A page and a person that speak Spanish. */
const SPANISH = { locale: 'es-MX', language: 'es' };

/** What every guide promises: several files, errors in the server's words, cancelling, large files. */
export function describeKit(title: string, kit: Kit, kinds?: readonly BrowserKind[]): void {
  const { guide, entry, input, sendsItself = false, isDirect = true, isOffering = true } = kit;
  describeInBrowsers(
    title,
    (browser, kind) => {
      const open = (options: Parameters<typeof openGuide>[2] = {}): Promise<OpenGuide> =>
        openGuide(browser(), guide, { ...(entry !== undefined && { entry }), ...options });

      it('uploads several files, each by its own request', async () => {
        await using opened = await open();
        const { page, testServer } = opened;
        await page.waitForSelector(input);
        const element = await page.$eval(input, (found) => (found as { multiple?: boolean }).multiple);
        assert.equal(element, true);
        if (isOffering) await offersWhatIsAccepted(page, input);
        await pickFiles(page, input, ...PATHS);
        await start(page, kit);
        const urls = await urlsIn(page, kit.urls, PATHS.length);
        if (isOffering) await offersWhatIsAccepted(page, input); // some kits have made a new input
        for (const url of urls) assert.equal((await fetch(url)).status, 200);
        await testServer.assertClean({ completeUploads: PATHS.length });
        assert.deepEqual(opened.complaints, []);
      });

      it(`shows why a file is rejected${sendsItself ? ', in Spanish' : ''}, and does not send it again`, async () => {
        await using opened = await open(sendsItself ? SPANISH : {});
        const { page, testServer } = opened;
        await choose(page, input, DISGUISED);
        await start(page, kit);
        await textBecomes(
          page,
          kit.errors,
          sendsItself ? /no es una imagen JPEG/ : /not really a JPEG picture/,
        );
        assert.deepEqual(statusesOf(testServer), [415]);
        await testServer.assertClean();
        assert.deepEqual(opened.complaints, []);
      });

      // Two of the kits' ways through each browser are enough: what follows is the client's, tried in both there.
      if (kind === 'firefox') return;

      it('cancels a file in flight and leaves nothing behind', async () => {
        await using opened = await open({ testServer: SLOW });
        const { page, testServer } = opened;
        page.on('dialog', (dialog) => void dialog.accept()); // some kits ask back
        testServer.sandbox.fault = 'slow-body';
        await choose(page, input, film(60_000_000));
        await start(page, kit);
        await testServer.sandbox.waitFor((requests) => requests.some(({ method }) => method === 'POST'));
        await press(page, kit.cancel);
        await kit.isCancelled(page);
        await testServer.assertClean();
        assert.deepEqual(opened.complaints, []);
      });

      if (sendsItself && guide !== 'uppy') return; // such a request can't be repeated by itself

      it('stores a file once although the first response is lost', async () => {
        await using opened = await open();
        const { page, testServer } = opened;
        await page.waitForSelector(input);
        const lost = await loseResponses(page, /\/messages\/upload(\?.*)?$/);
        await pickFiles(page, input, PATHS[0] as string);
        await start(page, kit);
        await urlsIn(page, kit.urls, 1);
        assert.equal(lost.length, 1);
        assert.deepEqual(statusesOf(testServer), [200, 200]);
        await testServer.assertClean({ completeUploads: 1 });
      });

      if (!isDirect) return;

      it('stores a large file once although the response to complete is lost', async () => {
        await using opened = await open();
        const { page, testServer } = opened;
        const lost = await loseResponses(page, /\/complete$/);
        await choose(page, input, film(8_000_000));
        await start(page, kit);
        await urlsIn(page, kit.urls, 1);
        assert.equal(lost.length, 1);
        assert.deepEqual(callsOf(testServer), ['initiate', 'PUT', 'complete']);
        await testServer.assertClean();
      });

      it('puts a large file straight into storage', async () => {
        await using opened = await open();
        const { page, testServer } = opened;
        await choose(page, input, film(8_000_000));
        await start(page, kit);
        const [url = ''] = await urlsIn(page, kit.urls, 1);
        assert.deepEqual(callsOf(testServer), ['initiate', 'PUT', 'complete']);
        assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, 8_000_000);
        await testServer.assertClean();
        assert.deepEqual(opened.complaints, []);
      });
    },
    kinds,
  );
}

/** Cuts the connection under the first `count` responses to POSTs to such a URL. Returns the URLs of lost responses. */
export async function loseResponses(page: Page, url: RegExp, count = 1): Promise<readonly string[]> {
  const lost: string[] = [];
  const session = await page.createCDPSession();
  session.on('Fetch.requestPaused', ({ requestId, request }) => {
    const isLost = lost.length < count && request.method === 'POST' && url.test(request.url);
    if (isLost) lost.push(request.url);
    void (isLost
      ? session.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
      : session.send('Fetch.continueRequest', { requestId }));
  });
  await session.send('Fetch.enable', { patterns: [{ requestStage: 'Response' }] });
  return lost;
}

/** Gives the file input what `file`, an expression of the page's own language, makes. */
export async function choose(page: Page | Frame, selector: string, file: string): Promise<void> {
  await page.waitForSelector(selector);
  await page.evaluate(`{
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(${file});
    const input = document.querySelector('${selector}');
    input.files = dataTransfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }`);
}

/** Makes a video of that many bytes in the page: the browser's driver is slow to carry files of such size. */
export function film(bytes: number): string {
  const head = [...mp4(64)];
  return `new File([new Uint8Array(${JSON.stringify(head)}), new Uint8Array(${bytes - head.length})], 'film.mp4', { type: 'video/mp4' })`;
}

/** Waits until every file input at `selector` offers what the server accepts: MIME types and extensions. */
async function offersWhatIsAccepted(page: Page, selector: string): Promise<void> {
  const inputs = `[...document.querySelectorAll('${selector}')]`;
  await page.waitForFunction(
    `${inputs}.every(({ accept }) => /image\\/jpeg\\b.*\\.pdf\\b/.test(accept))`,
    POLLING,
  );
}

/** Starts what has been chosen, where the page wants to be told. */
async function start(page: Page, { start: button }: Pick<Kit, 'start'>): Promise<void> {
  if (button !== undefined) await press(page, button);
}

/** Clicks what may be covered or moving: how kits animate is not the matter here. */
export async function press(page: Page | Frame, selector: string): Promise<void> {
  await page.waitForSelector(selector);
  await page.$eval(selector, (element) => (element as unknown as { click(): void }).click());
}

/** Waits until the text at `selector` matches. */
export async function textBecomes(page: Page | Frame, selector: string, pattern: RegExp): Promise<void> {
  const text = textAt(selector);
  try {
    await page.waitForFunction(`${pattern}.test(${text})`, POLLING);
  } catch (cause) {
    const shown = (await page.evaluate('document.body.innerText')) as string;
    throw new Error(`no ${pattern} at ${selector}; the page shows ${JSON.stringify(shown)}`, { cause });
  }
}

/** By the clock: frames, the driver's own measure of time, may rest in a page that nobody looks at. */
const POLLING = { polling: 100 };

/** An expression of the page's own language: the text of all that `selector` finds. */
function textAt(selector: string): string {
  return `[...document.querySelectorAll('${selector}')].map((one) => one.innerText).join(' ')`;
}

/** The first `count` addresses of files in the text at `selector`, once they are there. */
export async function urlsIn(page: Page | Frame, selector: string, count: number): Promise<string[]> {
  const found = `${textAt(selector)}.match(/https?:\\S*\\/files\\/\\S+/g) ?? []`;
  await page.waitForFunction(`(${found}).length >= ${count}`, POLLING);
  return (await page.evaluate(found)) as string[];
}

/** The status of every upload that was asked for. */
export function statusesOf({ log }: TestServer): unknown[] {
  const uploads = log.entries.filter(({ route }) => String(route).includes('/messages/upload'));
  return uploads.filter(({ method }) => method === 'POST').map(({ status }) => status);
}

/** What reached the sandbox to store a file, in order: the calls of Leadway by name, storage by method. */
export function callsOf({ sandbox }: TestServer): string[] {
  return sandbox.requests
    .filter(({ method }) => method !== 'OPTIONS' && method !== 'GET')
    .map(({ method, path }) => (method === 'PUT' ? method : (path.split('/').at(-1) ?? '')));
}
