import assert from 'node:assert/strict';
import type { Page } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { attributeOf, textOf } from '../helpers/browser-page.ts';
import {
  bring,
  film,
  impostor,
  note,
  PHONE,
  pickFiles,
  press,
  READY,
  rehearse,
  SAMPLE,
  textIn,
  textsIn,
  textsOf,
  visit,
  waitForCards,
} from './visit.ts';

/** As a fraction of the window: far below what is noticed. */
const MAX_SHIFT = 0.01;

describeInBrowsers(
  'the look of the page',
  (browser) => {
    it('follows the system until its switch is used, and remembers that', () =>
      visit(
        browser(),
        async (page) => {
          const system = await groundOf(page);
          assert.equal(await attributeOf(page, '#theme', 'aria-pressed'), 'true');
          await press(page, '#theme');
          assert.notEqual(await groundOf(page), system);
          assert.equal(await attributeOf(page, '#theme', 'aria-pressed'), 'false');
          await page.reload();
          await page.waitForSelector(READY);
          assert.notEqual(await groundOf(page), system);
          await press(page, '#theme');
          assert.equal(await groundOf(page), system);
        },
        { page: { colorScheme: 'dark' } },
      ));

    it('can be changed where the browser lets pages remember nothing', () =>
      visit(
        browser(),
        async (page) => {
          await page.evaluateOnNewDocument(() => {
            Object.defineProperty(globalThis, 'localStorage', {
              get: () => {
                throw new DOMException('Access is denied', 'SecurityError');
              },
            });
          });
          await page.reload();
          await page.waitForSelector(READY);
          const light = await groundOf(page);
          await press(page, '#theme');
          assert.notEqual(await groundOf(page), light);
          await press(page, '#language');
          assert.equal(await textOf(page, '#language'), 'English');
        },
        { page: { colorScheme: 'light' } },
      ));

    it('speaks the language of the browser, and errors of the server too', () =>
      visit(
        browser(),
        async (page) => {
          assert.equal(await textOf(page, 'h1'), 'Envía un archivo a una conversación');
          assert.equal(await textIn(page, '.heading'), 'Añade archivos');
          await bring(page, 'picker', impostor(100));
          assert.match(
            await textIn(page, '.card[data-state=failed] .line'),
            /^invoice\.pdf no es un PDF: parece un programa de Windows/,
          );
        },
        { page: { locale: 'es-MX' } },
      ));

    it('changes its language by the switch, remembers that, and asks the server for it', () =>
      visit(browser(), async (page) => {
        await pickFiles(page, SAMPLE);
        await waitForCards(page, 'done');
        await press(page, '#language');
        assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
        assert.equal(await page.title(), 'Subida a Leadway');
        assert.match(await textIn(page, '.fine'), /a\u00a0través\u00a0del\u00a0servidor/);
        assert.equal((await textsOf(page, '.group-name')).at(-1), 'Esta página');
        assert.match(await textIn(page, '.limits'), /^Imágenes, .* Hasta 5/);
        await bring(page, 'picker', impostor(100));
        assert.match(
          await textIn(page, '.card[data-state=failed] .line'),
          /^invoice\.pdf no es un PDF: parece un programa de Windows/,
        );
        await page.reload();
        assert.equal(await textOf(page, '#language'), 'English');
      }));

    for (const [device, viewport] of Object.entries({
      phone: PHONE,
      desktop: { width: 1440, height: 900 },
    })) {
      it(`moves nothing above or in the list while it loads and files come, on a ${device}`, () =>
        visit(
          browser(),
          async (page, testServer) => {
            await watchShifts(page);
            await pickFiles(page, SAMPLE);
            await bring(page, 'drop', note('a.txt'), impostor(100));
            await waitForCards(page, 'done', 2);
            await waitForCards(page, 'failed');
            await rehearse(page, 'storage-slow-body');
            await bring(page, 'drop', film(3_000_000));
            await waitForCards(page, 'done', 3);
            testServer.sandbox.fault = 'status-503';
            await bring(page, 'paste', note('b.txt'));
            await waitForCards(page, 'retrying');
            const { total, moved } = await shiftsOf(page);
            assert(total < MAX_SHIFT, `moved by ${total}: ${moved.join()}`);
          },
          { page: { viewport } },
        ));
    }

    it('fits a small phone without scrolling sideways, whatever it shows', () =>
      visit(
        browser(),
        async (page) => {
          assert.equal(await widthOf(page), PHONE.width);
          await page.evaluate(() => document.querySelector('#bench')?.toggleAttribute('open', true));
          const longName = `${'a-name-without-a-single-blank-in-it-'.repeat(5)}.txt`;
          await bring(page, 'picker', note(longName), film(2_000_000), impostor(100));
          await waitForCards(page, 'done', 2);
          await waitForCards(page, 'failed');
          assert.equal(await widthOf(page), PHONE.width);
          await press(page, '#language');
          assert.equal(await widthOf(page), PHONE.width);
          assert.equal((await textsIn(page, '.card')).length, 3);
        },
        { page: { viewport: PHONE } },
      ));

    it('does not move where people want no motion', () =>
      visit(browser(), async (page) => {
        await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
        await press(page, '#bench > summary'); // what is folded away keeps old styles until it is shown
        await rehearse(page, 'never-answers');
        await bring(page, 'picker', note('a.txt'));
        await waitForCards(page, 'confirming');
        const running = await page.evaluate(() =>
          document
            .getAnimations()
            .filter(({ playState }) => playState === 'running')
            .map((animation) => ('animationName' in animation ? animation.animationName : 'transition')),
        );
        assert.deepEqual(running, []);
      }));
  },
  ['chromium'],
);

function groundOf(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}

function widthOf(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth);
}

/** A shift as the browser reports it; no library of types knows it yet. */
interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly sources: readonly { readonly node: Node | null }[];
}

/** Records what moves from now on, and what has moved since the page began to load. */
async function watchShifts(page: Page): Promise<void> {
  await page.evaluate(() => {
    // What follows the list moves down as files are added.
    for (const after of document.querySelectorAll('.samples, .bench')) after.toggleAttribute('hidden', true);
    const shifts = { total: 0, moved: [] as string[] };
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as LayoutShift[]) {
        shifts.total += entry.value;
        for (const { node } of entry.sources) {
          shifts.moved.push(node instanceof Element ? `${node.localName}.${node.className}` : String(node));
        }
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** What has moved; two frames later, when the browser has told all of it. */
async function shiftsOf(page: Page): Promise<{ total: number; moved: string[] }> {
  return page.evaluate(async () => {
    for (const _ of [1, 2]) await new Promise((resolve) => requestAnimationFrame(resolve));
    return (globalThis as unknown as { shifts: { total: number; moved: string[] } }).shifts;
  });
}
