import { existsSync } from 'node:fs';
import process from 'node:process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** No graphics, and nothing that calls home. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Debian's Chromium; where it is missing, says so loudly and gives null. */
export async function launchBrowser(): Promise<Browser | null> {
  if (existsSync(EXECUTABLE)) return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  const line = '!'.repeat(78);
  console.warn(
    `\n${line}\nThe page was NOT tested: there is no Chromium at ${EXECUTABLE}.\nsh scripts/install-test-tools.sh installs it; CHROMIUM=/path names another.\n${line}\n`,
  );
  return null;
}

/** A page of its own cookie jar, with what it complained about: script errors and breaches of its policy. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens `url` and waits until the page knows where to upload. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // Refused uploads are errors in the console too; they are no fault of the page.
    if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  await page.locator('#limits:not(:empty)').waitFor();
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
