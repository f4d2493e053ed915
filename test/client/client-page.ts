import type { Browser, Page } from 'puppeteer-core';
import { openPage } from '../helpers/browser-page.ts';
import { createHouse, type House, type HouseOptions } from '../helpers/house.ts';
import { createSite } from '../helpers/site.ts';

/** What a page with the client offers to what runs in it. */
declare global {
  interface Window {
    client: typeof import('../../client/browser.ts');
    /** A text file of `bytes` bytes. */
    textFile(name: string, bytes: number): File;
  }
}

/** A page of an allowed origin that has imported the client from a running house. */
export interface ClientPage extends AsyncDisposable {
  readonly house: House;
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

/** Opens such a page, in a house made by `options`. */
export async function openClientPage(browser: Browser, options: HouseOptions = {}): Promise<ClientPage> {
  await using stack = new AsyncDisposableStack();
  const { origin, files } = stack.use(await createSite());
  const house = stack.use(
    await createHouse({ ...options, env: { ALLOWED_ORIGINS: origin, ...options.env } }),
  );
  files.set('/', ['text/html', pageOf(house.api)]);
  const { page, complaints } = stack.use(
    await openPage(browser, `${origin}/`, { ready: 'body[data-ready]' }),
  );
  const { conversationId = '', contactId = '' } = house.fields;
  const parts = stack.move();
  return {
    house,
    page,
    complaints,
    setting: { endpoint: house.api, ids: { conversationId, contactId } },
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
