import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { textOf } from '../helpers/browser-page.ts';
import type { TestServer } from '../helpers/test-server.ts';
import {
  bring,
  chooseRadio,
  note,
  PHONE,
  press,
  rehearse,
  sendSample,
  textIn,
  textsOf,
  visit,
  waitForCards,
} from './visit.ts';

describeInBrowsers(
  'the wire of the page',
  (browser) => {
    it('shows that a large file went straight into storage, and how long each step took', () =>
      visit(browser(), async (page, testServer) => {
        await sendSample(page, 'film');
        await waitForCards(page, 'done');
        assert.deepEqual(await wireOf(page, testServer), [
          'POST upload/initiate 200',
          'PUT storage 200',
          'POST upload/complete 200',
          'GET config 200', // of the page: the latest file comes first
        ]);
        for (const took of await textsOf(page, '.took')) assert.match(took, /^[\d.]+\sm?s$/);
        assert.equal(await textOf(page, '#wire-count'), '4 requests');
      }));

    it('shows an expired URL, the new one, and that the file arrives by it', () =>
      visit(browser(), async (page, testServer) => {
        await sendSample(page, 'expired');
        await waitForCards(page, 'done');
        assert.deepEqual((await wireOf(page, testServer)).slice(0, -1), [
          'POST upload/initiate 200',
          'PUT storage no response',
          'POST upload/initiate 200',
          'PUT storage 200',
          'POST upload/complete 200',
        ]);
      }));

    it('shows the 415 of a file that is not what it says', () =>
      visit(browser(), async (page, testServer) => {
        await sendSample(page, 'impostor');
        await waitForCards(page, 'failed');
        assert.deepEqual((await wireOf(page, testServer)).slice(0, -1), ['POST upload?mode=forward 415']);
        assert.equal(await page.evaluate(() => document.querySelectorAll('.request.wrong').length), 1);
      }));

    it('shows a 429 while its card counts down to the next attempt', () =>
      visit(browser(), async (page, testServer) => {
        await sendSample(page, 'tooMany');
        await waitForCards(page, 'retrying');
        assert.match(await textIn(page, '.fine'), /^Next\stry\sin\s\d+\ss, /);
        assert.match(await textIn(page, '[role=status]'), /notes.txt: Next try in/);
        const seconds = await secondsOf(page);
        await page.waitForFunction(
          (before) => {
            const line = document.querySelector('leadway-upload')?.shadowRoot?.querySelector('.fine');
            return Number(/\d+/.exec(line?.textContent ?? '')) < before;
          },
          {},
          seconds,
        );
        // On a slow machine the next attempt may have been made by now.
        assert.equal((await wireOf(page, testServer))[0], 'POST upload?mode=forward 429');
      }));

    it('shows that a file goes on by itself when Leadway is back', () =>
      visit(browser(), async (page, testServer) => {
        await chooseRadio(page, 'mode', 'forward');
        await rehearse(page, 'once-status-503');
        await bring(page, 'picker', note('notes.txt'));
        await waitForCards(page, 'done');
        assert.deepEqual((await wireOf(page, testServer)).slice(0, -1), [
          'POST upload?mode=forward 502',
          'POST upload?mode=forward 200',
        ]);
      }));

    it('opens with the workbench by keyboard, and clears', () =>
      visit(
        browser(),
        async (page) => {
          const isOpen = () =>
            page.evaluate(() => document.querySelector('#wire-title')?.checkVisibility() === true);
          assert.equal(await isOpen(), false);
          await page.focus('summary');
          await page.keyboard.press('Enter');
          assert.equal(await isOpen(), true);
          assert.equal((await textsOf(page, '.request')).length, 1);
          await press(page, '#wire-clear');
          assert.equal((await textsOf(page, '.request')).length, 0);
        },
        { page: { viewport: PHONE } },
      ));
  },
  ['chromium'],
);

/** The requests of the panel, each as `METHOD place outcome`. */
async function wireOf(page: Page, { sandbox }: TestServer): Promise<string[]> {
  const rows = await page.evaluate(() =>
    [...document.querySelectorAll('.request')].map((row) =>
      ['.method', '.path', '.outcome'].map((part) => row.querySelector(part)?.textContent).join(' '),
    ),
  );
  return rows.map((row) => row.replace(new URL(sandbox.storageOrigin).host, 'storage'));
}

async function secondsOf(page: Page): Promise<number> {
  return Number(/\d+/.exec(await textIn(page, '.fine')));
}
