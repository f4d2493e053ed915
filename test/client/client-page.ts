import type { Browser, Page } from 'puppeteer-core';
import { openPage } from '../helpers/browser-page.ts';
import { createSite } from '../helpers/site.ts';
import { createTestServer, type TestServer, type TestServerOptions } from '../helpers/test-server.ts';

/** What a page with the client offers to what runs in it. */
declare global {
  interface Window {
    client: typeof import('../../client/browser.ts');
    /** A text file of `bytes` bytes. */
    textFile(name: string, bytes: number): File;
  }
}

/** A page of an allowed origin that has imported the client from a running test server. */
export interface ClientPage extends AsyncDisposable {
  readonly testServer: TestServer;
  readonly page: Page;
  /** What scripts in the page start from. */
  readonly setting: Setting;
  /** Script errors, and breaches of the page's policy. */
  readonly complaints: readonly string[];
}

/** What a script in the page needs to know. */
export interface Setting {
  readonly endpoint: string;
  readonly ids: { readonly conversationId: string; readonly contactId: string };
}

/** Opens such a page, in a test server made by `options`. */
export async function openClientPage(browser: Browser, options: TestServerOptions = {}): Promise<ClientPage> {
  await using stack = new AsyncDisposableStack();
  const { origin, files } = stack.use(await createSite());
  const testServer = stack.use(
    await createTestServer({ ...options, env: { ALLOWED_ORIGINS: origin, ...options.env } }),
  );
  files.set('/', ['text/html', pageOf(testServer.api)]);
  const { page, complaints } = stack.use(
    await openPage(browser, `${origin}/`, { ready: 'body[data-ready]' }),
  );
  const { conversationId = '', contactId = '' } = testServer.fields;
  const parts = stack.move();
  return {
    testServer,
    page,
    complaints,
    setting: { endpoint: testServer.api, ids: { conversationId, contactId } },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function pageOf(api: string): string {
  return `<!doctype html><html lang="en"><title>Client</title><body><script type="module">
    window.client = await import('${api}/client.js');
    window.textFile = (name, bytes) => new File(['text '.repeat(Math.ceil(bytes / 5)).slice(0, bytes)], name, { type: 'text/plain' });
    document.body.dataset.ready = '';
  </script></body></html>`;
}
