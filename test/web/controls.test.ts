import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { attributeOf, pickFiles, textOf } from '../helpers/browser-page.ts';
import {
  bring,
  chooseRadio,
  film,
  focusOf,
  impostor,
  note,
  press,
  rehearse,
  SAMPLE,
  textsOf,
  visit,
  waitForCards,
} from './visit.ts';

describeInBrowsers(
  'the controls of the page',
  (browser) => {
    it('cancel one file by keyboard, keep the focus in its card, and leave Leadway nothing', () =>
      visit(browser(), async (page, testServer) => {
        await rehearse(page, 'slow-body');
        await bring(page, 'picker', film(4_000_000));
        await testServer.sandbox.waitFor((requests) => requests.length === 1);
        await page.focus('[data-action=cancel]');
        await page.keyboard.press('Enter');
        await waitForCards(page, 'cancelled');
        assert.match(await textOf(page, '.card-line'), /^Cancelled/);
        assert.equal(await focusOf(page), 'retry film.mp4');
        await testServer.assertClean();
      }));

    it('send again what was cancelled or has failed', () =>
      visit(browser(), async (page, testServer) => {
        testServer.sandbox.fault = 'status-422';
        await bring(page, 'picker', note('a.txt'));
        await waitForCards(page, 'failed');
        assert.match(await textOf(page, '.card-fine'), /^UPSTREAM_REJECTED, /);
        testServer.sandbox.fault = null;
        await press(page, '[data-action=retry]');
        await waitForCards(page, 'done');
        await testServer.assertClean({ completeUploads: 2 });
      }));

    it('take a card off the list and hand the focus to the next one', () =>
      visit(browser(), async (page) => {
        await bring(page, 'picker', note('a.txt'), note('b.txt'));
        await waitForCards(page, 'done', 2);
        await page.focus('[data-action=remove]');
        await page.keyboard.press('Enter');
        assert.deepEqual(await textsOf(page, '.card-name'), ['b.txt']);
        assert.equal(await focusOf(page), 'copy b.txt');
        await page.focus('[data-action=remove]');
        await page.keyboard.press('Enter');
        assert.equal(await focusOf(page), 'files-title');
        assert.equal(await isShown(page, '#empty'), true);
      }));

    it('clear what has ended and leave what is under way', () =>
      visit(browser(), async (page) => {
        await bring(page, 'picker', note('a.txt'), impostor(100));
        await waitForCards(page, 'done');
        await waitForCards(page, 'failed');
        await rehearse(page, 'never-answers');
        await bring(page, 'picker', note('b.txt'));
        await waitForCards(page, 'confirming');
        await press(page, '#clear');
        assert.deepEqual(await textsOf(page, '.card-name'), ['b.txt']);
      }));

    it('hold back files that have not begun, and let them go on', () =>
      visit(browser(), async (page, testServer) => {
        await rehearse(page, 'slow-headers');
        await bring(page, 'picker', note('a.txt'));
        await press(page, '#pause');
        await bring(page, 'picker', note('b.txt'));
        await waitForCards(page, 'done');
        assert.deepEqual(await textsOf(page, '.card-line'), [
          await textOf(page, '.card-line'),
          'Paused before its turn',
        ]);
        await press(page, '#pause');
        await waitForCards(page, 'done', 2);
        await testServer.assertClean({ completeUploads: 2 });
      }));

    it('copy the whole link of a file', () =>
      visit(browser(), async (page, testServer) => {
        await page
          .browserContext()
          .overridePermissions(testServer.url, ['clipboard-read', 'clipboard-sanitized-write']);
        await pickFiles(page, '#files', SAMPLE);
        await waitForCards(page, 'done');
        await page.bringToFront();
        await press(page, '[data-action=copy]');
        await page.waitForSelector('.copied');
        const link = await attributeOf(page, '.card-line a', 'href');
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
        assert.equal(await textOf(page, '[data-action=copy] span'), 'Copied');
      }));

    it('copy it where browsers have no clipboard for pages, too', () =>
      visit(browser(), async (page) => {
        await page.evaluate(() => {
          Object.defineProperty(navigator, 'clipboard', { value: undefined });
          addEventListener('copy', ({ clipboardData }) => {
            document.title = clipboardData?.getData('text/plain') ?? '';
          });
        });
        await pickFiles(page, '#files', SAMPLE);
        await waitForCards(page, 'done');
        await press(page, '[data-action=copy]');
        await page.waitForSelector('.copied');
        assert.equal(await page.title(), await attributeOf(page, '.card-line a', 'href'));
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
          await tabTo('files');
          assert.deepEqual(order, [
            ...['a', 'language', 'theme', 'conversation', 'contact', 'input', 'input', 'fault', 'files'],
          ]);
          for (const [index, key] of (['Enter', ' '] as const).entries()) {
            const chooser = page.waitForFileChooser();
            await focusOf(page); // the browser has heard by then that the chooser is to be left to us
            await page.keyboard.press(key);
            await (await chooser).accept([SAMPLE]);
            await waitForCards(page, 'done', index + 1);
          }
          order.length = 0;
          await tabTo('a sample.png');
          assert.equal(order[0], 'folder');
          assert.match(String(await page.evaluate('document.activeElement.href')), /^http:.*\.png$/);
          await tabTo('copy sample.png');
          await tabTo('remove sample.png');
          await tabTo('wire-clear');
          await tabTo('wire-body');
          await testServer.assertClean({ completeUploads: 2 });
        },
        { page: { viewport: { width: 1440, height: 900 } } },
      ));

    it('lead past the form at once', () =>
      visit(browser(), async (page) => {
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        assert.equal(await focusOf(page), 'files-title');
      }));

    it('say what the chosen channel takes, and name the fault that was chosen', () =>
      visit(browser(), async (page) => {
        assert.match(await textOf(page, '#limits'), /^Up to 5\sMB .*JPG .*WAV$/s);
        await chooseRadio(page, 'channel', 'WHATSAPP');
        assert.match(await textOf(page, '#limits'), /^Up to 100\sMB /);
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
