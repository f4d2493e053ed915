import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { findBrowser } from '../test/helpers/installed-browsers.ts';
import { launchBrowser } from '../test/helpers/launch-browser.ts';
import { createTestServer } from '../test/helpers/test-server.ts';

/**
 * Takes the pictures of the demo page that the documents show (`docs/images/demo*.png`), each in a test server of its
 * own, with a file in every state that a visitor is likely to see. Needs Chromium: `CHROMIUM=/path` names one
 * that lies elsewhere.
 */

const IMAGES = new URL('../docs/images/', import.meta.url);

const PICTURES = [
  { name: 'demo', theme: 'light', width: 1440, height: 900, bench: true },
  { name: 'demo-dark', theme: 'dark', width: 1440, height: 900, bench: true },
  {
    name: 'demo-phone',
    theme: 'light',
    width: 360,
    height: 780,
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
] as const;

const { path, hint } = findBrowser('chromium');
if (path === undefined) throw new Error(`Chromium: ${hint}`);
const browser = await launchBrowser('chromium', path);
try {
  for (const picture of PICTURES) await take(browser, picture);
} finally {
  await browser.close();
}

async function take(driver: Browser, picture: (typeof PICTURES)[number]): Promise<void> {
  await using testServer = await createTestServer({ page: true, sandbox: { slowMs: 3_000 } });
  const context = await driver.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(picture);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: picture.theme }]);
  await page.goto(testServer.url);
  await page.waitForSelector('#upload:defined >>> .limits:not(:empty)');
  if ('bench' in picture) await page.evaluate(`document.querySelector('#bench').open = true`);
  await fill(page);
  await page.evaluate('scrollTo(0, 0)');
  const file = fileURLToPath(new URL(`${picture.name}.png`, IMAGES));
  await page.screenshot({ path: file as `${string}.png` });
  console.log(file);
  await context.close();
}

/** One file uploaded by each mode, one rejected, one in flight and one that has to wait. */
async function fill(page: Page): Promise<void> {
  const send = (sample: string) => page.evaluate(`document.querySelector('[data-sample=${sample}]').click()`);
  const root = `document.querySelector('#upload').shadowRoot`;
  const until = (condition: string) => page.waitForFunction(condition);
  const isIn = (state: string, count = 1) =>
    until(`${root}.querySelectorAll('.card[data-state=${state}]').length === ${count}`);
  for (const [index, sample] of ['picture', 'expired'].entries()) {
    await send(sample);
    await isIn('done', index + 1);
  }
  await send('impostor');
  await isIn('failed');
  await send('slow');
  await until(
    `/\\/s,.*\\sleft$/.test(${root}.querySelector('.card[data-state=uploading] .fine')?.textContent)`,
  );
  await send('tooMany');
  await isIn('retrying');
  await until(`document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity)`);
}
