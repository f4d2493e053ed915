import assert from 'node:assert/strict';
import type { Browser, Page } from 'puppeteer-core';
import type {} from '../../client/element/index.ts';
import { openPage, type PageOptions } from '../helpers/browser-page.ts';
import { createSite } from '../helpers/site.ts';
import { createTestServer, type TestServer, type TestServerOptions } from '../helpers/test-server.ts';

/** A page with the element, beside a server. */
export interface ElementPage extends AsyncDisposable {
  readonly page: Page;
  readonly testServer: TestServer;
}

/** How the page differs from the usual one. */
export interface ElementPageOptions {
  /** Attributes of the element; the endpoint and the conversation are there already. */
  readonly attributes?: string;
  /** What is around the element, which stands for `$`. */
  readonly around?: string;
  readonly testServer?: TestServerOptions;
  readonly page?: PageOptions;
  /** Modules of the page, by path. */
  readonly modules?: Readonly<Record<string, string>>;
  /** What the policy of the page is; it names the server as `$`. */
  readonly policy?: string;
}

/** A file that the page makes. */
export interface FileSpec {
  readonly name: string;
  readonly type?: string;
  /** What it begins with. */
  readonly head?: string;
  readonly bytes?: number;
}

/** Opens a page of another origin that has the element from the server. */
export async function openElement(
  browser: Browser,
  {
    attributes = '',
    around = '$',
    testServer: testServerOptions,
    page: pageOptions,
    modules = {},
    policy,
  }: ElementPageOptions = {},
): Promise<ElementPage> {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await createSite());
  const env = { ALLOWED_ORIGINS: site.origin, ...testServerOptions?.env };
  const testServer = stack.use(await createTestServer({ ...testServerOptions, env }));
  const { conversationId, contactId } = testServer.fields;
  const ids = `endpoint="${testServer.api}" conversation="${conversationId}" contact="${contactId}"`;
  const meta =
    policy === undefined
      ? ''
      : `<meta http-equiv="Content-Security-Policy" content="${policy.replaceAll('$', testServer.url)}">`;
  const html = `<!doctype html><html lang="en"><head>${meta}<title>Page</title>
    <meta name="viewport" content="width=device-width">
    <script type="module" src="${testServer.api}/element.js"></script></head>
    <body><main><h1>Page</h1>${around.replace('$', `<leadway-upload ${ids} ${attributes}></leadway-upload>`)}</main></body></html>`;
  site.files.set('/', ['text/html', html]);
  for (const [path, code] of Object.entries(modules)) site.files.set(path, ['text/javascript', code]);
  const watched = stack.use(await openPage(browser, `${site.origin}/`, pageOptions));
  const { page } = watched;
  await page.waitForFunction(
    () => document.querySelector('leadway-upload')?.shadowRoot?.querySelector('.limits')?.textContent !== '',
  );
  const all = stack.move();
  return {
    page,
    testServer,
    async [Symbol.asyncDispose]() {
      await all.disposeAsync();
      assert.deepEqual(watched.complaints, []);
    },
  };
}

/** Adds files by the method of the element; `conversationId` may ask the sandbox for a fault. */
export function addFiles(
  page: Page,
  specs: readonly FileSpec[],
  changes: { conversationId?: string; mode?: 'forward' | 'direct' | 'relay' } = {},
): Promise<void> {
  return page.evaluate(
    (all, options) => {
      const files = all.map(({ name, type = '', head = 'Text', bytes = head.length }) => {
        return new File([head, new Uint8Array(bytes - head.length).fill(0x55)], name, { type });
      });
      document.querySelector('leadway-upload')?.add(files, options);
    },
    specs,
    changes,
  );
}

/** Waits until that many cards are in that state. */
export async function waitForCards(page: Page, state: string, count = 1): Promise<void> {
  await page.waitForFunction(
    (wanted, many) => {
      const root = document.querySelector('leadway-upload')?.shadowRoot;
      return root?.querySelectorAll(`.card[data-state=${wanted}]`).length === many;
    },
    {},
    state,
    count,
  );
}

/** The texts of such elements within the element, in their order. */
export function textsIn(page: Page, selector: string): Promise<string[]> {
  return page.evaluate((where) => {
    const root = document.querySelector('leadway-upload')?.shadowRoot;
    return [...(root?.querySelectorAll(where) ?? [])].map(({ textContent }) => textContent ?? '');
  }, selector);
}

/** Presses the first such button within the element, as a script would. */
export function pressIn(page: Page, selector: string): Promise<void> {
  return page.evaluate((where) => {
    document.querySelector('leadway-upload')?.shadowRoot?.querySelector<HTMLElement>(where)?.click();
  }, selector);
}
