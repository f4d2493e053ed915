import assert from 'node:assert/strict';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { addFiles, openElement, pressIn, textsIn, waitForCards } from './element-page.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true } as const;
const IMPOSTOR = { name: 'invoice.pdf', type: 'application/pdf', head: 'MZ\0', bytes: 100 };
const note = (name: string) => ({ name, head: `Text of ${name}` });

describeInBrowsers(
  'the look of <leadway-upload>',
  (browser) => {
    for (const [look, attributes] of Object.entries({
      usual: 'multiple',
      compact: 'multiple compact',
      detailed: 'multiple details',
    })) {
      it(`has nothing that axe finds wrong: ${look}, in every state, theme and language`, async () => {
        await using opened = await openElement(browser(), { attributes });
        const { page } = opened;
        await showEveryState(page);
        await page.evaluate(axe.source);
        for (const theme of ['light', 'dark'] as const) {
          for (const language of ['en', 'es']) {
            await page.emulateMediaFeatures([
              { name: 'prefers-color-scheme', value: theme },
              // What fades in would be judged by the colours of its way there.
              { name: 'prefers-reduced-motion', value: 'reduce' },
            ]);
            await page.evaluate((code) => {
              document.documentElement.lang = code;
            }, language);
            assert.deepEqual(await findingsOf(page), [], `${theme} ${language}`);
          }
        }
      });
    }

    it('is used by keyboard alone, and every control says its name', async () => {
      await using opened = await openElement(browser(), { attributes: 'multiple details' });
      const { page, testServer } = opened;
      await addFiles(page, [note('a.txt'), IMPOSTOR]);
      await waitForCards(page, 'done');
      await waitForCards(page, 'failed');
      await addFiles(page, [note('b.txt')], { conversationId: 'fault-never-answers' });
      await waitForCards(page, 'confirming');
      const names: string[] = [];
      await page.focus('leadway-upload >>> .browse');
      do names.push(await nameOfFocus(page));
      while ((await tab(page)) && names.length < 30);
      assert.deepEqual(names, [
        ...['Choose files', 'Folder', 'Pause', 'Cancel all'],
        ...['a.txt', await urlOf(page), 'Copy link: a.txt', 'Remove a.txt'],
        ...['Remove invoice.pdf', 'Cancel b.txt'],
      ]);
      await page.focus('leadway-upload >>> .cancel:not([hidden])');
      await page.keyboard.press('Enter');
      await waitForCards(page, 'cancelled');
      assert.equal(await nameOfFocus(page), 'Retry: b.txt');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      assert.deepEqual(await textsIn(page, '.name'), ['a.txt', 'invoice.pdf']);
      assert.equal(await nameOfFocus(page), 'Remove invoice.pdf');
      await page.keyboard.press('Enter');
      assert.equal(await nameOfFocus(page), 'Copy link: a.txt');
      await testServer.sandbox.waitFor((requests) =>
        requests.every(({ complete, aborted }) => complete || aborted),
      );
    });

    it('has a camera and no word of dropping on touch screens, and large targets', async () => {
      await using opened = await openElement(browser(), {
        attributes: 'multiple',
        page: { viewport: PHONE },
      });
      const { page } = opened;
      assert.deepEqual(await visibleTextsOf(page), ['Add files', 'Choose files', 'Take a photo', LIMITS]);
      await addFiles(page, [note('a.txt'), IMPOSTOR]);
      await waitForCards(page, 'done');
      await waitForCards(page, 'failed');
      const sizes = await page.evaluate(() => {
        const root = document.querySelector('leadway-upload')?.shadowRoot;
        const boxes = [...(root?.querySelectorAll('button') ?? [])].filter((button) =>
          button.checkVisibility(),
        );
        return boxes
          .map((button) => button.getBoundingClientRect())
          .map(({ width, height }) => Math.min(width, height));
      });
      assert(sizes.length >= 5 && sizes.every((size) => size >= 38), sizes.join());
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    });

    it('offers a folder and no camera where there is a mouse', async () => {
      await using opened = await openElement(browser(), { attributes: 'multiple' });
      assert.deepEqual(await visibleTextsOf(opened.page), [
        ...['Add files', 'Drop files here, or paste them.', 'Choose files', 'Folder', LIMITS],
      ]);
    });

    it('follows the direction of the page', async () => {
      await using opened = await openElement(browser(), {
        attributes: 'multiple',
        around: '<div dir="rtl">$</div>',
      });
      const { page } = opened;
      await addFiles(page, [note('a.txt')]);
      await waitForCards(page, 'done');
      const lefts = await page.evaluate(() => {
        const root = document.querySelector('leadway-upload')?.shadowRoot;
        return ['.actions', '.text', '.thumbnail'].map(
          (part) => root?.querySelector(`.card ${part}`)?.getBoundingClientRect().left ?? 0,
        );
      });
      assert.deepEqual(
        lefts,
        lefts.toSorted((one, other) => one - other),
      );
    });

    it('shows two lines of a long name on a phone, and says the whole name', async () => {
      await using opened = await openElement(browser(), {
        attributes: 'multiple',
        page: { viewport: PHONE },
      });
      const { page } = opened;
      const name =
        'Presupuesto definitivo de la reforma integral de la cocina y el baño (versión revisada).txt';
      await addFiles(page, [note(name), note('a.txt')]);
      await waitForCards(page, 'done', 2);
      const [long, short] = await page.evaluate(() => {
        const names = document.querySelector('leadway-upload')?.shadowRoot?.querySelectorAll('.name') ?? [];
        return [...names].map((element) => {
          const { title } = element as HTMLElement;
          return { height: element.getBoundingClientRect().height, title };
        });
      });
      assert.equal(Math.round((long?.height ?? 0) / (short?.height ?? 1)), 2);
      assert.equal(long?.title, name);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
    });

    it('shows progress and buttons in forced colours', async () => {
      await using opened = await openElement(browser(), { attributes: 'multiple' });
      const { page } = opened;
      const cdp = await page.createCDPSession();
      await cdp.send('Emulation.setEmulatedMedia', {
        features: [{ name: 'forced-colors', value: 'active' }],
      });
      await addFiles(page, [note('a.txt')], { conversationId: 'fault-never-answers' });
      await waitForCards(page, 'confirming');
      const [ring, sent, border] = await page.evaluate(() => {
        const root = document.querySelector('leadway-upload')?.shadowRoot;
        const styleOf = (part: string) => getComputedStyle(root?.querySelector(part) as Element);
        return [styleOf('.ring').stroke, styleOf('.sent').stroke, styleOf('.cancel').borderTopStyle];
      });
      assert.notEqual(ring, sent);
      assert.equal(border, 'solid');
    });

    it('does not move where people want no motion', async () => {
      await using opened = await openElement(browser(), { attributes: 'multiple' });
      const { page } = opened;
      await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
      await addFiles(page, [note('a.txt')], { conversationId: 'fault-never-answers' });
      await waitForCards(page, 'confirming');
      const running = await page.evaluate(
        () => document.getAnimations().filter(({ playState }) => playState === 'running').length,
      );
      assert.equal(running, 0);
    });

    it('takes its colours from custom properties', async () => {
      await using opened = await openElement(browser(), {
        attributes: 'multiple style="--leadway-accent: rgb(1, 2, 3)"',
      });
      const colour = await opened.page.evaluate(() => {
        const root = document.querySelector('leadway-upload')?.shadowRoot;
        return getComputedStyle(root?.querySelector('.browse') as Element).backgroundColor;
      });
      assert.equal(colour, 'rgb(1, 2, 3)');
    });
  },
  ['chromium'],
);

const LIMITS = 'Pictures, videos, audio, PDF, Word, text, ZIP, and RAR. Up to 5\u00a0MB each.';

/** A card for each state, held there by a fault. */
async function showEveryState(page: Page): Promise<void> {
  await addFiles(page, [note('delivered.txt'), IMPOSTOR]);
  await waitForCards(page, 'done');
  await waitForCards(page, 'failed');
  await addFiles(page, [{ name: 'cancelled.txt', bytes: 4_000_000 }], { conversationId: 'fault-slow-body' });
  await pressIn(page, '.cancel:not([hidden])');
  await waitForCards(page, 'cancelled');
  await addFiles(page, [note('confirming.txt')], { conversationId: 'fault-never-answers' });
  await waitForCards(page, 'confirming');
  await addFiles(page, [note('retrying.txt')], { conversationId: 'fault-429' });
  await waitForCards(page, 'retrying');
  await pressIn(page, '.pause');
  await addFiles(page, [note('waiting.txt')]);
  await waitForCards(page, 'waiting');
}

async function findingsOf(page: Page): Promise<string[]> {
  const { violations, passes } = (await page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(RULES)} })`,
  )) as AxeResults;
  assert(passes.some(({ id }) => id === 'color-contrast'));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

/** Goes on by keyboard; false when that leaves the element. */
async function tab(page: Page): Promise<boolean> {
  await page.keyboard.press('Tab');
  return page.evaluate(() => Boolean(document.querySelector('leadway-upload')?.shadowRoot?.activeElement));
}

/** The accessible name of what has the focus within the element. */
function nameOfFocus(page: Page): Promise<string> {
  return page.evaluate(() => {
    const active = document.querySelector('leadway-upload')?.shadowRoot?.activeElement;
    return active?.ariaLabel ?? active?.textContent ?? '';
  });
}

function urlOf(page: Page): Promise<string> {
  return textsIn(page, '.url').then(([text = '']) => text);
}

/** What people see, piece by piece. */
function visibleTextsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.querySelector('leadway-upload')?.shadowRoot;
    return [...(root?.querySelectorAll('p, button') ?? [])]
      .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      .map((element) => element.textContent ?? '')
      .filter(Boolean);
  });
}
