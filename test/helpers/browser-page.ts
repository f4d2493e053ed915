import type { Browser, BrowserContext, Page, Viewport } from 'puppeteer-core';

/** How a page is opened. */
export interface PageOptions {
  /** Language of the browser: `navigator.language` and `Accept-Language`. Default `en-US`. */
  readonly locale?: string;
  /** Size of the window in CSS pixels. Default 1280 × 720. */
  readonly viewport?: Viewport;
  /** What the person prefers. Chromium only: Firefox can't be asked. Default the browser's own, light. */
  readonly colorScheme?: 'light' | 'dark';
  /** A selector of what shows that the page is ready. Default none: its load event is enough. */
  readonly ready?: string;
}

/** A page of its own cookie jar, with what it complained about: script errors and breaches of its policy. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: readonly string[];
}

/** Opens `url` and waits until the page is ready; hold it with `await using`. */
export async function openPage(
  browser: Browser,
  url: string,
  { locale = 'en-US', viewport = { width: 1280, height: 720 }, colorScheme, ready }: PageOptions = {},
): Promise<WatchedPage> {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => {
      // Firefox files what it kept from a page under errors of scripts; the page gets to know in its own way.
      if (!/Cross-Origin Request Blocked|Cross-Origin-Resource-Policy/.test(String(error))) {
        complaints.push(String(error));
      }
    });
    page.on('console', (message) => {
      // Rejected uploads are errors in the console too; they are not the page's fault.
      if (message.text().startsWith(BREACH)) complaints.push(message.text());
    });
    // Not all browsers write breaches to the console by themselves.
    await page.evaluateOnNewDocument(`document.addEventListener('securitypolicyviolation', (event) =>
      console.error('${BREACH}' + event.violatedDirective + ' ' + event.blockedURI));`);
    await page.setViewport(viewport);
    await page.emulateLocale(locale);
    if (colorScheme !== undefined) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: colorScheme }]);
    }
    await page.goto(url);
    if (ready !== undefined) await page.waitForSelector(ready);
    return { page, context, complaints, [Symbol.asyncDispose]: () => context.close() };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** The text of the first such element, which will be there soon. */
export async function textOf(page: Page, selector: string): Promise<string> {
  await page.waitForSelector(selector);
  return String(await page.evaluate(`${query(selector)}.textContent`));
}

/** An attribute of the first such element, which will be there soon; empty if it has none. */
export async function attributeOf(page: Page, selector: string, name: string): Promise<string> {
  await page.waitForSelector(selector);
  return String(await page.evaluate(`${query(selector)}.getAttribute('${name}') ?? ''`));
}

/** Gives the file input at `selector` these files, by their paths, as a person would with its chooser. */
export async function pickFiles(page: Page, selector: string, ...paths: string[]): Promise<void> {
  const input = await page.waitForSelector(selector as 'input');
  await input?.uploadFile(...paths);
}

function query(selector: string): string {
  return `document.querySelector(${JSON.stringify(selector)})`;
}

/** Tells a breach of the page's policy from what else is in the console. */
const BREACH = 'Breach of the content security policy: ';
