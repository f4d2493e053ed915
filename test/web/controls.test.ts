import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import {
  bring,
  chooseRadio,
  film,
  focusOf,
  impostor,
  linkOf,
  note,
  pickFiles,
  pressIn,
  rehearse,
  SAMPLE,
  textIn,
  textsIn,
  visit,
  waitForCards,
} from './visit.ts';

/** More than the buffers on its way hold: it is not sent to its end by the time it is cancelled. */
const LARGE = film(16_000_000);
const LARGE_FORWARDS = {
  testServer: { env: { FORWARD_MAX_BYTES: '16000000' }, sandbox: { readBytesPerSecond: 10_000_000 } },
};

describeInBrowsers(
  'the controls of the page',
  (browser) => {
    it('cancel one file by keyboard, keep the focus in its card, and leave Leadway nothing', () =>
      visit(
        browser(),
        async (page, testServer) => {
          await chooseRadio(page, 'channel', 'WHATSAPP');
          await bring(page, 'picker', LARGE);
          await testServer.sandbox.waitFor((requests) => requests.length === 1);
          await page.focus('#upload >>> .cancel');
          await page.keyboard.press('Enter');
          await waitForCards(page, 'cancelled');
          assert.match(await textIn(page, '.line'), /^Cancelled/);
          assert.equal(await focusOf(page), 'retry film.mp4');
          await testServer.assertClean();
        },
        LARGE_FORWARDS,
      ));

    it('try again what a retry can help', () =>
      visit(
        browser(),
        async (page, testServer) => {
          testServer.sandbox.fault = 'status-422';
          await bring(page, 'picker', note('a.txt'));
          await waitForCards(page, 'failed');
          assert.match(await textIn(page, '.fine'), /^UPSTREAM_REJECTED, /);
          assert.deepEqual(await textsIn(page, '.retry:not([hidden])'), []);
          testServer.sandbox.fault = null;
          await chooseRadio(page, 'channel', 'WHATSAPP');
          await bring(page, 'picker', LARGE);
          await pressIn(page, '.cancel:not([hidden])');
          await waitForCards(page, 'cancelled');
          await pressIn(page, '.retry:not([hidden])');
          await waitForCards(page, 'done');
          await testServer.assertClean({ completeUploads: 2 });
        },
        LARGE_FORWARDS,
      ));

    it('take a card off the list and hand the focus to the next one', () =>
      visit(browser(), async (page) => {
        await bring(page, 'picker', note('a.txt'), note('b.txt'));
        await waitForCards(page, 'done', 2);
        await page.focus('#upload >>> .card:first-child .remove');
        await page.keyboard.press('Enter');
        assert.deepEqual(await textsIn(page, '.name'), ['b.txt']);
        assert.equal(await focusOf(page), 'copy b.txt');
        await page.focus('#upload >>> .card .remove');
        await page.keyboard.press('Enter');
        assert.equal(await focusOf(page), 'browse');
        assert.equal(await isShown(page, '.empty'), true);
      }));

    it('cancel all that is in flight, then remove all', () =>
      visit(
        browser(),
        async (page, testServer) => {
          await bring(page, 'picker', note('a.txt'), impostor(100));
          await waitForCards(page, 'done');
          await waitForCards(page, 'failed');
          // Long enough to be cancelled; what has been committed then runs to its end.
          await rehearse(page, 'slow-headers');
          await bring(page, 'picker', note('b.txt'));
          await waitForCards(page, 'confirming');
          await pressIn(page, '.end-all');
          await waitForCards(page, 'cancelled');
          assert.equal(await textIn(page, '.end-all'), 'Remove all');
          await pressIn(page, '.end-all');
          assert.deepEqual(await textsIn(page, '.name'), []);
          assert.equal(await focusOf(page), 'browse');
          await testServer.assertClean({ completeUploads: 2 });
        },
        { testServer: { sandbox: { slowMs: 3_000 } } },
      ));

    it('hold back files that have not begun, and let them go on', () =>
      visit(browser(), async (page, testServer) => {
        await rehearse(page, 'slow-headers');
        await bring(page, 'picker', note('a.txt'), note('b.txt'));
        await pressIn(page, '.pause');
        await bring(page, 'picker', note('c.txt'));
        await waitForCards(page, 'done', 2);
        assert.equal((await textsIn(page, '.line')).at(-1), 'Paused');
        await pressIn(page, '.pause');
        await waitForCards(page, 'done', 3);
        await testServer.assertClean({ completeUploads: 3 });
      }));

    it('copy the whole link of a file', () =>
      visit(browser(), async (page, testServer) => {
        await page
          .browserContext()
          .overridePermissions(testServer.url, ['clipboard-read', 'clipboard-sanitized-write']);
        await pickFiles(page, SAMPLE);
        await waitForCards(page, 'done');
        await page.bringToFront();
        await pressIn(page, '.copy');
        await page.waitForSelector('#upload >>> .copied');
        const link = await linkOf(page);
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
        assert.equal(await textIn(page, '.copy span'), 'Copied');
      }));

    it('copy it where browsers have no clipboard for pages, too', () =>
      visit(browser(), async (page) => {
        await page.evaluate(() => {
          Object.defineProperty(navigator, 'clipboard', { value: undefined });
          addEventListener('copy', ({ clipboardData }) => {
            document.title = clipboardData?.getData('text/plain') ?? '';
          });
        });
        await pickFiles(page, SAMPLE);
        await waitForCards(page, 'done');
        await pressIn(page, '.copy');
        await page.waitForSelector('#upload >>> .copied');
        assert.equal(await page.title(), await linkOf(page));
      }));

    it('are all reached by keyboard, from the first to the link of a file', () =>
      visit(
        browser(),
        async (page, testServer) => {
          const order: string[] = [];
          const tabTo = async (last: string): Promise<void> => {
            while (order.at(-1) !== last) {
              assert(order.length < 60, `not reached: ${last}; but ${order.join()}`);
              await page.keyboard.press('Tab');
              order.push(await focusOf(page));
            }
          };
          await tabTo('browse');
          assert.deepEqual(order, ['language', 'theme', 'browse']);
          for (const [index, key] of (['Enter', ' '] as const).entries()) {
            const chooser = page.waitForFileChooser();
            await focusOf(page); // the browser has heard by then that the chooser is to be left to us
            await page.keyboard.press(key);
            await (await chooser).accept([SAMPLE]);
            await waitForCards(page, 'done', index + 1);
          }
          order.length = 0;
          await tabTo('remove sample.png');
          assert.deepEqual(order, [
            ...['folder', 'end-all', 'name sample.png', 'url sample.png'],
            ...['copy sample.png', 'remove sample.png'],
          ]);
          order.length = 0;
          await tabTo('summary');
          assert.equal(order.filter((name) => name === 'button').length, 6); // the samples
          await page.keyboard.press('Enter');
          order.length = 0;
          await tabTo('wire-clear');
          assert.deepEqual(order, ['conversation', 'contact', 'input', 'input', 'fault', 'wire-clear']);
          await testServer.assertClean({ completeUploads: 2 });
        },
        { page: { viewport: { width: 1440, height: 900 } } },
      ));

    it('say what the chosen channel takes, and name the fault that was chosen', () =>
      visit(browser(), async (page) => {
        assert.match(await textIn(page, '.limits'), /^Pictures, videos, .* Up to 5\sMB each\.$/);
        await chooseRadio(page, 'channel', 'WHATSAPP');
        assert.match(await textIn(page, '.limits'), /Up to 100\sMB each/);
        await page.select('#fault', 'expired');
        assert.equal(await fieldValue(page, '#conversation'), 'fault-once-storage-expired');
        await page.select('#fault', 'none');
        assert.equal(await fieldValue(page, '#conversation'), 'sandboxConversation01');
      }));
  },
  ['chromium'],
);

function isShown(page: Page, selector: string): Promise<boolean> {
  return page.evaluate((where) => document.querySelector(where)?.checkVisibility() === true, selector);
}

function fieldValue(page: Page, selector: string): Promise<string> {
  return page.evaluate((where) => document.querySelector<HTMLInputElement>(where)?.value ?? '', selector);
}
