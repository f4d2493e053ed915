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
  { name: 'demo', theme: 'light', width: 1440, height: 1000 },
  { name: 'demo-dark', theme: 'dark', width: 1440, height: 1000 },
  { name: 'demo-phone', theme: 'light', width: 360, height: 780, deviceScaleFactor: 2, top: '.files' },
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
  await page.waitForSelector('#limits:not(:empty)');
  await fill(page);
  const top = 'top' in picture ? picture.top : 'body';
  await page.evaluate(`document.querySelector('${top}').scrollIntoView()`);
  const file = fileURLToPath(new URL(`${picture.name}.png`, IMAGES));
  await page.screenshot({ path: file as `${string}.png` });
  console.log(file);
  await context.close();
}

/** One file delivered by each route, one rejected, one on its way and one that is told to come back. */
async function fill(page: Page): Promise<void> {
  const send = (sample: string) => page.evaluate(`document.querySelector('[data-sample=${sample}]').click()`);
  const until = (condition: string) => page.waitForFunction(condition);
  const isIn = (state: string, count = 1) =>
    until(`document.querySelectorAll('.card[data-state=${state}]').length === ${count}`);
  for (const [index, sample] of ['picture', 'expired'].entries()) {
    await send(sample);
    await isIn('done', index + 1);
  }
  await send('impostor');
  await isIn('failed');
  await send('slow');
  await until(
    `/\\/s,.*\\sleft$/.test(document.querySelector('.card[data-state=uploading] .card-fine')?.textContent)`,
  );
  await send('tooMany');
  await isIn('retrying');
  await until(`document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity)`);
}
