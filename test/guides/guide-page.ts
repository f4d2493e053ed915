import type { Browser, Page } from 'puppeteer-core';
import { openPage } from '../helpers/browser-page.ts';
import { createSite, type Site } from '../helpers/site.ts';
import { createTestServer, type TestServer, type TestServerOptions } from '../helpers/test-server.ts';
import { type AddedFiles, API, bundleGuide } from './bundle.ts';
import { guideFiles } from './guide-files.ts';

/** What a guide is served with. */
export interface GuideOptions {
  /** The file of the guide that the page begins with. Default: the guide's `main`. */
  readonly entry?: string;
  /** The HTML of the guide that the script is for. Default `index.html`. */
  readonly page?: string;
  /** Files beside those of the guide. */
  readonly added?: AddedFiles;
  readonly testServer?: TestServerOptions;
  /** Of the page. Default `en`. */
  readonly language?: string;
}

/** A guide's page on its own site, beside the server that it uploads to. */
export interface ServedGuide extends AsyncDisposable {
  readonly site: Site;
  readonly testServer: TestServer;
}

/**
 * Builds what a guide tells to build and serves it. The server is on another origin, which allows that of the
 * page: what works so, works on one origin all the more.
 */
export async function serveGuide(guide: string, options: GuideOptions = {}): Promise<ServedGuide> {
  const {
    entry = mainOf(guide),
    page = 'index.html',
    added,
    testServer: testServerOptions = {},
    language,
  } = options;
  await using stack = new AsyncDisposableStack();
  const { script, style } = await bundleGuide(guide, entry, added);
  const site = stack.use(await createSite());
  const env = { ALLOWED_ORIGINS: site.origin, ...testServerOptions.env };
  const testServer = stack.use(await createTestServer({ ...testServerOptions, env }));
  const html = added?.[page] ?? guideFiles(guide).get(page) ?? '';
  site.files.set('/', ['text/html', pageOf(html, language).replaceAll('"/api', `"${testServer.api}`)]);
  site.files.set('/main.js', ['text/javascript', script.replaceAll(API, testServer.api)]);
  site.files.set('/main.css', ['text/css', style]);
  const all = stack.move();
  return { site, testServer, [Symbol.asyncDispose]: () => all.disposeAsync() };
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
  const { site, testServer } = stack.use(await serveGuide(guide, options));
  const { page, complaints } = stack.use(await openPage(browser, `${site.origin}/`, { locale }));
  const all = stack.move();
  return { site, testServer, page, complaints, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The file of a guide that is named `main`. */
function mainOf(guide: string): string {
  return [...guideFiles(guide).keys()].find((name) => name.startsWith('main.')) ?? '';
}

/** A page around the HTML of a guide. */
function pageOf(html: string, language = 'en'): string {
  return `<!doctype html><html lang="${language}"><head><meta charset="utf-8"><title>Guide</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="main.css"></head><body>${html}<script type="module" src="main.js"></script></body></html>`;
}
