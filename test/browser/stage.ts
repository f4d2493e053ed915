import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { Browser, Page } from 'puppeteer-core';
import type { UploaderOptions, UploadOptions } from '../../client/index.ts';
import { toBrowserCode } from '../../middleware/browser-modules.ts';
import { openPage, pickFiles } from '../helpers/browser-page.ts';
import { createSite, type Site } from '../helpers/site.ts';
import { createTestServer, type TestServer, type TestServerOptions } from '../helpers/test-server.ts';
import { type FileSpec, type LogFields, type Sample, setUpStage, type WireEntry } from './in-page.ts';

/** A fraction that no upload gets to. */
const NEVER = 2;
const CLIENT = new URL('../../client/', import.meta.url);

/** A page in a browser that has imported the client, and what a person could do with it. */
export interface Stage extends AsyncDisposable {
  readonly page: Page;
  /** Chooses files by the page's file input. */
  pick(...paths: string[]): Promise<void>;
  /** Makes files in the page, and chooses them. */
  make(...specs: FileSpec[]): Promise<void>;
  /** Uploads what was chosen; resolves once it has begun. All is cancelled when one has got to `cancelAt`. */
  begin(options?: Partial<UploadOptions>, settings?: UploaderOptions, cancelAt?: number): Promise<void>;
  cancel(): Promise<void>;
  /** How the uploads ended, in the order of the files. */
  end(): Promise<LogFields[]>;
  /** The outcome of the only upload, which must have worked. */
  done(): Promise<LogFields>;
  /** The outcome of the only upload, which must not have worked. */
  failed(): Promise<LogFields>;
  /** Every report of a file's progress. */
  history(file?: number): Promise<Sample[]>;
  /** Waits until `condition`, an expression about the last `sample` of the first file, holds. */
  until(condition: string): Promise<void>;
  /** The requests that have ended, as `POST /initiate 200` and `PUT storage 0`. */
  wire(): Promise<string[]>;
}

/** A test server and a page of its visitors. */
export interface ServedStage extends Stage {
  readonly testServer: TestServer;
}

/** Where the page comes from, as the test server sees it. */
export type Origin = 'same origin' | 'another origin' | 'another site' | 'an origin not allowed';

/** Opens a page of such an origin beside a test server made by `options`. */
export async function openStage(
  browser: Browser,
  origin: Origin = 'same origin',
  options: TestServerOptions = {},
): Promise<ServedStage> {
  await using stack = new AsyncDisposableStack();
  const isOwn = origin === 'same origin';
  const site = stack.use(await createSite(origin === 'another site' ? 'localhost' : '127.0.0.1'));
  const env = { ...options.env, ...(origin.startsWith('another') && { ALLOWED_ORIGINS: site.origin }) };
  const testServer = stack.use(await createTestServer({ ...options, page: isOwn, env }));
  const ids = { ...testServer.fields };
  const stage = stack.use(
    isOwn
      ? await openPageWithClient(browser, `${testServer.url}/`, '/api/client.js', { endpoint: '/api', ids })
      : await openSite(browser, site, testServer.api, ids, origin !== 'an origin not allowed'),
  );
  const all = stack.move();
  return { ...stage, testServer, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/**
 * Opens a page of `site` that talks to the API at `endpoint`. It imports the client from there, or brings a
 * copy of its own as a bundled app does.
 */
export function openSite(
  browser: Browser,
  site: Site,
  endpoint: string,
  ids: Readonly<Record<string, string>>,
  fromServer = true,
): Promise<Stage> {
  site.files.set('/', [
    'text/html',
    '<!doctype html><html lang="en"><title>Upload</title><body></body></html>',
  ]);
  for (const name of readdirSync(CLIENT).filter((file) => file.endsWith('.ts'))) {
    const code = toBrowserCode(readFileSync(new URL(name, CLIENT), 'utf8'));
    site.files.set(`/client/${name.replace(/ts$/, 'js')}`, ['text/javascript', code]);
  }
  const client = fromServer ? `${endpoint}/client.js` : `${site.origin}/client/index.js`;
  return openPageWithClient(browser, `${site.origin}/`, client, { endpoint, ids });
}

async function openPageWithClient(
  browser: Browser,
  url: string,
  client: string,
  { endpoint, ids }: { readonly endpoint: string; readonly ids: Readonly<Record<string, string>> },
): Promise<Stage> {
  const watched = await openPage(browser, url);
  const { page } = watched;
  const end = () => page.evaluate(() => window.stage.end());
  const only = async () => {
    const [outcome, ...others] = await end();
    assert(outcome !== undefined && others.length === 0, 'there is one upload');
    return outcome;
  };
  const { conversationId = '', contactId = '' } = ids;
  await page.evaluate(setUpStage, client);
  return {
    page,
    pick: (...paths) => pickFiles(page, '#picked', ...paths),
    make: (...specs) => page.evaluate((all) => window.stage.make(all), specs),
    async begin(options, settings, cancelAt = NEVER) {
      const about = { conversationId, contactId, ...options };
      await page.evaluate((...all) => window.stage.begin(...all), about, { endpoint, ...settings }, cancelAt);
    },
    cancel: () => page.evaluate(() => window.stage.cancel()),
    end,
    async done() {
      const outcome = await only();
      assert.equal(outcome.error, '', `${outcome.code} ${outcome.message}`);
      return outcome;
    },
    async failed() {
      const outcome = await only();
      assert.notEqual(outcome.error, '', 'it has worked');
      return outcome;
    },
    history: (file = 0) => page.evaluate((place) => window.stage.history[place] ?? [], file),
    async until(condition) {
      await page.waitForFunction(
        `((sample) => sample !== undefined && (${condition}))(window.stage.history[0]?.at(-1))`,
        { polling: 20 },
      );
    },
    wire: async () => (await page.evaluate(() => window.stage.wire)).map((entry) => toLine(entry, endpoint)),
    async [Symbol.asyncDispose]() {
      await watched[Symbol.asyncDispose]();
      assert.deepEqual(watched.complaints, []);
    },
  };
}

function toLine({ method, url, target, status }: WireEntry, endpoint: string): string {
  const where = target === 'storage' ? 'storage' : url.slice(endpoint.length).replace('/messages/upload', '');
  return `${method} ${where} ${status}`.replace(/ {2,}/, ' ');
}
