import assert from 'node:assert/strict';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import {
  bring,
  chooseRadio,
  film,
  impostor,
  note,
  PHONE,
  press,
  pressIn,
  rehearse,
  reopenWithoutServer,
  visit,
  waitForCards,
} from './visit.ts';

const DESKTOP = { width: 1440, height: 900 } as const;
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

describeInBrowsers(
  'axe finds nothing wrong with the page',
  (browser) => {
    for (const [device, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      it(`before anything is sent, on a ${device}`, () =>
        visit(browser(), (page) => assertNoFindings(page), { page: { viewport } }));

      it(`with a file in every state at once, on a ${device}`, () =>
        visit(
          browser(),
          async (page) => {
            await showEveryState(page);
            await page.evaluate(() => document.querySelector('#bench')?.toggleAttribute('open', true));
            await pressIn(page, '.pause');
            await assertNoFindings(page);
          },
          { page: { viewport } },
        ));
    }

    it('when the server can’t be reached', () =>
      visit(browser(), async (page) => {
        await reopenWithoutServer(page);
        await assertNoFindings(page);
      }));
  },
  ['chromium'],
);

/** A card for each state, held there by a fault: three in flight, as many as go at once, and one that waits. */
async function showEveryState(page: Page): Promise<void> {
  await bring(page, 'picker', note('delivered.txt'), impostor(100));
  await waitForCards(page, 'done');
  await waitForCards(page, 'failed');
  await rehearse(page, 'slow-body');
  await bring(page, 'picker', film(2_000_000, 'cancelled.mp4'));
  await pressIn(page, ':is([data-state=uploading], [data-state=confirming]) .cancel');
  await waitForCards(page, 'cancelled');
  await rehearse(page, 'never-answers');
  await bring(page, 'picker', note('confirming.txt'));
  await waitForCards(page, 'confirming');
  await chooseRadio(page, 'channel', 'WHATSAPP');
  await rehearse(page, 'storage-stops-reading');
  await bring(page, 'picker', film(16_000_000, 'uploading.mp4'));
  await waitForCards(page, 'uploading');
  await rehearse(page, '429');
  await bring(page, 'picker', note('retrying.txt'));
  await waitForCards(page, 'retrying');
  await bring(page, 'picker', note('waiting.txt'));
  await waitForCards(page, 'waiting');
}

/** Runs axe in both themes and both languages; leaves the page as it was. */
async function assertNoFindings(page: Page): Promise<void> {
  // What fades in would be judged by the colours of its way there.
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await page.evaluate(axe.source);
  for (const change of ['#theme', '#language', '#theme', '#language']) {
    await press(page, change);
    const { violations, passes } = (await page.evaluate(
      `axe.run({ runOnly: ${JSON.stringify(RULES)} })`,
    )) as AxeResults;
    const findings = violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
    );
    assert.deepEqual(findings, [], `after ${change}`);
    assert(passes.some(({ id }) => id === 'color-contrast'));
  }
}
