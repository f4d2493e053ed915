import process from 'node:process';
import type { Browser } from 'puppeteer-core';
import { BROWSERS, type BrowserKind, findBrowser } from './installed-browsers.ts';
import { LAUNCH_TIMEOUT_MS, launchBrowser } from './launch-browser.ts';
import { sayNotRun } from './programs.ts';

export type { BrowserKind };

const running = new Map<BrowserKind, Promise<Browser | null>>();

/**
 * The one browser of its kind in this process, started when it is first asked for and closed at the end. Where none is
 * installed: says so loudly, once, and gives null.
 */
function sharedBrowser(kind: BrowserKind): Promise<Browser | null> {
  const browser = running.get(kind) ?? launch(kind);
  running.set(kind, browser);
  return browser;
}

/**
 * Describes `suite` once for each browser (`kinds`: all). What it is given gives the running browser to tests
 * and hooks. Where a browser is missing, its tests count as pending: they were not run.
 */
export function describeInBrowsers(
  title: string,
  suite: (browser: () => Browser, kind: BrowserKind) => void,
  kinds: readonly BrowserKind[] = BROWSERS,
): void {
  for (const kind of kinds) {
    describe(`${title} (${kind})`, function () {
      this.timeout(120_000);
      let browser: Browser | null = null;
      before('the browser is there', async function () {
        this.timeout(LAUNCH_TIMEOUT_MS);
        browser = await sharedBrowser(kind);
        if (browser === null) this.skip();
      });
      suite(() => {
        if (browser === null) throw new TypeError('the browser is there once the tests run');
        return browser;
      }, kind);
    });
  }
}

async function launch(kind: BrowserKind): Promise<Browser | null> {
  const { path, hint } = findBrowser(kind);
  if (path !== undefined) {
    const browser = await launchBrowser(kind, path);
    process.once('exit', () => browser.process()?.kill('SIGKILL'));
    return browser;
  }
  sayNotRun(`the tests in ${kind}. ${hint}`);
  return null;
}

after('the browsers are closed', async function () {
  this.timeout(LAUNCH_TIMEOUT_MS);
  const all = [...running.values()];
  // In a process that runs several files by turns this is the end of the first alone. What the others start ends
  // with the process; not by the driver, which forgets every second browser then.
  running.clear();
  for (const browser of await Promise.all(all)) await browser?.close();
});
