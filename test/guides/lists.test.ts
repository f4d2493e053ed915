import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openGuide } from './guide-page.ts';
import { choose, describeKit, film, type Kit, press, textBecomes, urlsIn } from './kit-suite.ts';

const LIST: Omit<Kit, 'guide'> = {
  input: '#app input',
  urls: '#app a',
  errors: '#app [role=alert]',
  cancel: '#app button',
  isCancelled: (page) => page.waitForSelector('#app li.cancelled'),
  isDirect: false, // it is, by the client, whose own tests see to that
};
for (const [name, guide, entry] of [
  ['React', 'react', 'main.tsx'],
  ['Vue', 'vue', 'main.ts'],
  ['Svelte', 'vue', 'svelte-main.ts'],
] as const) {
  describeKit(`the guide for ${name}`, { ...LIST, guide, entry }, ['chromium']);

  describeInBrowsers(
    `the list of the guide for ${name}`,
    (browser) => {
      it('tries again what failed, and lets go of it', async () => {
        await using opened = await openGuide(browser(), guide, { entry });
        const { page, testServer } = opened;
        testServer.sandbox.fault = 'once-status-422';
        await choose(page, LIST.input, `new File(['Hello'], 'hello.txt')`);
        await textBecomes(page, LIST.errors, /UPSTREAM_REJECTED/);
        await press(page, '#app button'); // the first one tries again
        await urlsIn(page, LIST.urls, 1);
        await press(page, '#app button');
        await page.waitForFunction(`document.querySelector('#app li') === null`);
        assert.deepEqual(opened.complaints, []);
      });

      it('tells how far a file is', async () => {
        // Slow enough for the page to draw what it is told: the way to storage, and the wait for the end of it.
        const sandbox = {
          readBytesPerSecond: 20_000_000,
          slowMs: 500,
          fault: 'complete-slow-headers',
        } as const;
        await using opened = await openGuide(browser(), guide, { entry, testServer: { sandbox } });
        const { page } = opened;
        await page.evaluate(`{
          window.fractions = [];
          new MutationObserver(() => {
            const bar = document.querySelector('#app progress');
            if (bar && bar.value !== window.fractions.at(-1)) window.fractions.push(bar.value);
          }).observe(document.body, { subtree: true, childList: true, attributes: true });
        }`);
        await choose(page, LIST.input, film(40_000_000));
        await urlsIn(page, LIST.urls, 1);
        const fractions = (await page.evaluate('window.fractions')) as number[];
        assert.deepEqual(
          fractions,
          fractions.toSorted((one, other) => one - other),
        );
        assert.equal(fractions.at(-1), 1);
        assert(fractions.some((fraction) => fraction > 0 && fraction < 1));
      });
    },
    ['chromium'],
  );
}
