import puppeteer, { type Browser, type LaunchOptions } from 'puppeteer-core';
import type { BrowserKind } from './installed-browsers.ts';

/** How each is started. */
const OPTIONS: Readonly<Record<BrowserKind, LaunchOptions>> = {
  chromium: {
    browser: 'chrome',
    // No graphics, and nothing that calls home.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
  // The driver's own profile already calls nobody.
  firefox: { browser: 'firefox' },
};

/** A busy machine takes its time for the first window. */
export const LAUNCH_TIMEOUT_MS = 90_000;

/** Starts the browser that lies at `path`; rejects when it has no window by {@link LAUNCH_TIMEOUT_MS}. */
export function launchBrowser(kind: BrowserKind, path: string): Promise<Browser> {
  return puppeteer.launch({
    ...OPTIONS[kind],
    executablePath: path,
    timeout: LAUNCH_TIMEOUT_MS,
    // Some tests keep a page busy for longer than the driver's patience with one command.
    protocolTimeout: LAUNCH_TIMEOUT_MS,
  });
}
