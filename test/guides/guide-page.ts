import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'puppeteer-core';
import { openPage } from '../helpers/browser-page.ts';
import { createHouse, type House, type HouseOptions } from '../helpers/house.ts';
import { type AddedFiles, API, bundleGuide } from './bundle.ts';
import { guideFiles } from './guide-files.ts';

/** What a guide is served with. */
export interface GuideOptions {
  /** The file of the guide that the page begins with. Default `main.js`. */
  readonly entry?: string;
  /** Files beside those of the guide. */
  readonly added?: AddedFiles;
  readonly house?: HouseOptions;
  /** Of the page. Default `en`. */
  readonly language?: string;
}

/** A guide's page on a site of its own, beside the server that it uploads to. */
export interface ServedGuide extends AsyncDisposable {
  readonly site: Site;
  readonly house: House;
}

/**
 * Builds what a guide tells to build and serves it. The server is on another origin, which allows that of the
 * page: what works so, works on one origin all the more.
 */
export async function serveGuide(guide: string, options: GuideOptions = {}): Promise<ServedGuide> {
  const { entry = 'main.js', added, house: houseOptions = {}, language } = options;
  await using stack = new AsyncDisposableStack();
  const { script, style } = await bundleGuide(guide, entry, added);
  const site = stack.use(await createSite());
  const env = { ALLOWED_ORIGINS: site.origin, ...houseOptions.env };
  const house = stack.use(await createHouse({ ...houseOptions, env }));
  site.files.set('/', ['text/html', pageOf(guideFiles(guide).get('index.html') ?? '', language)]);
  site.files.set('/main.js', ['text/javascript', script.replaceAll(API, house.api)]);
  site.files.set('/main.css', ['text/css', style]);
  const all = stack.move();
  return { site, house, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A guide's page in a browser, with what it complained about. */
export interface OpenGuide extends ServedGuide {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Serves a guide and opens its page in `browser`, whose language is `locale` (default `en-US`). */
export async function openGuide(
  browser: Browser,
  guide: string,
  { locale = 'en-US', ...options }: GuideOptions & { readonly locale?: string } = {},
): Promise<OpenGuide> {
  await using stack = new AsyncDisposableStack();
  const { site, house } = stack.use(await serveGuide(guide, options));
  const { page, complaints } = stack.use(await openPage(browser, `${site.origin}/`, { locale }));
  const all = stack.move();
  return { site, house, page, complaints, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** A web server of a few files, which are put into `files` by path. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly files: Map<string, readonly [type: string, body: string]>;
}

/** Starts a site on a free port; `host` is what browsers call it. */
export async function createSite(host = '127.0.0.1'): Promise<Site> {
  const files = new Map<string, readonly [string, string]>();
  const server = createServer(({ url = '/' }, res) => {
    const [type, body] = files.get(url.replace(/\?.*/, '')) ?? [];
    res.writeHead(type === undefined ? 404 : 200, {
      'Content-Type': `${type ?? 'text/plain'}; charset=utf-8`,
    });
    res.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${port}`,
    files,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page around the HTML of a guide. */
function pageOf(html: string, language = 'en'): string {
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>Guide</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="main.css"></head><body>${html}<script type="module" src="main.js"></script></body></html>`;
}
