import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { pickFiles } from '../helpers/browser-page.ts';
import { openGuide } from './guide-page.ts';
import {
  callsOf,
  choose,
  describeKit,
  film,
  loseResponses,
  PATHS,
  press,
  statusesOf,
  textBecomes,
  urlsIn,
} from './kit-suite.ts';

const INPUT = '.uppy-Dashboard-input';
const START = '.uppy-StatusBar-actionBtn--upload';

describeKit('the guide for Uppy', {
  guide: 'uppy',
  sendsItself: true,
  input: INPUT,
  start: START,
  urls: '#urls',
  errors: '#urls',
  cancel: '.uppy-StatusBar-actionCircleBtn[title=Cancel]',
  isCancelled: (page) => page.waitForFunction(`document.querySelector('.uppy-Dashboard-Item') === null`),
});

describeInBrowsers(
  'the preset for Uppy',
  (browser) => {
    it('waits as long as the server says before the next attempt', async () => {
      const env = { RATE_LIMIT_MAX: '2', RATE_LIMIT_WINDOW_MS: '1500' };
      await using opened = await openGuide(browser(), 'uppy', { testServer: { env } });
      const { page, testServer } = opened;
      await page.waitForSelector(INPUT);
      await pickFiles(page, INPUT, ...PATHS);
      await press(page, START);
      await urlsIn(page, '#urls', PATHS.length);
      // The one of the three that came last was sent once more, and not before it could succeed.
      assert.deepEqual(statusesOf(testServer).toSorted(), [200, 200, 200, 429]);
      await testServer.assertClean({ completeUploads: PATHS.length });
    });

    for (const fault of ['once-storage-403', 'once-storage-expired'] as const) {
      it(`goes through the server with a fresh URL after ${fault.slice('once-'.length)}`, async () => {
        await using opened = await openGuide(browser(), 'uppy');
        const { page, testServer } = opened;
        testServer.sandbox.fault = fault;
        await choose(page, INPUT, film(8_000_000));
        await press(page, START);
        await urlsIn(page, '#urls', 1);
        assert.deepEqual(callsOf(testServer), ['initiate', 'PUT', 'initiate', 'PUT', 'complete']);
        await testServer.assertClean();
      });
    }

    it('shows why a large file is rejected before anything of it is stored, and counts it as failed', async () => {
      await using opened = await openGuide(browser(), 'uppy');
      const { page, testServer } = opened;
      await choose(page, INPUT, film(8_000_000).replace('film.mp4', 'film.pdf'));
      await press(page, START);
      await textBecomes(page, '#urls', /TYPE_MISMATCH/);
      await textBecomes(page, '.uppy-StatusBar', /Upload failed/);
      assert.deepEqual(callsOf(testServer), []);
      assert.deepEqual(opened.complaints, []);
    });

    it('stores a file once when the user retries after all responses were lost', async () => {
      await using opened = await openGuide(browser(), 'uppy');
      const { page, testServer } = opened;
      await page.waitForSelector(INPUT);
      await loseResponses(page, /\/messages\/upload\?/, 4); // of the attempt and Uppy's three retries
      await choose(page, INPUT, `new File(['Hello'], 'hello.txt')`);
      await press(page, START);
      await press(page, '.uppy-StatusBar-actionBtn--retry');
      await urlsIn(page, '#urls', 1);
      assert.deepEqual(statusesOf(testServer), [200, 200, 200, 200, 200]);
      await testServer.assertClean({ completeUploads: 1 });
    });

    it('forwards a large file where direct uploads are known not to be offered', async () => {
      const env = { FORWARD_FALLBACK_MAX_BYTES: '10000000' };
      await using opened = await openGuide(browser(), 'uppy', { testServer: { env } });
      const { page, testServer } = opened;
      testServer.sandbox.fault = 'no-initiate';
      await choose(page, INPUT, film(8_000_000));
      await press(page, START);
      await textBecomes(page, '#urls', /DIRECT_UNAVAILABLE/);
      await press(page, '.uppy-StatusBar-actionBtn--retry');
      await urlsIn(page, '#urls', 1);
      await testServer.assertClean({ completeUploads: 1 });
    });
  },
  ['chromium'],
);
