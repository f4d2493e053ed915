import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openGuide } from './guide-page.ts';
import { choose, press, textBecomes, urlsIn } from './kit-suite.ts';

const FILE = `new File(['Hello'], 'hello.txt')`;

describeInBrowsers(
  'the guides to begin with',
  (browser) => {
    it('send a message with the file that was attached', async () => {
      const env = { PASSTHROUGH: 'POST /conversations/messages' };
      await using opened = await openGuide(browser(), 'composer', {
        entry: 'main.tsx',
        testServer: { env },
      });
      const { page, testServer } = opened;
      await choose(page, '#app input[type=file]', FILE);
      await textBecomes(page, '#app form', /hello\.txt: done/);
      await press(page, '#app button:not([type])');
      await textBecomes(page, '#app output', /Sent with 1 attachments/);
      const message = testServer.sandbox.requests.find(({ path }) => path === '/conversations/messages');
      assert(message !== undefined);
      assert.deepEqual(opened.complaints, []);
    });

    it('show the upload element in a new app', async () => {
      await using opened = await openGuide(browser(), 'quick-start', { entry: 'main.tsx' });
      const { page } = opened;
      await page.waitForFunction(`document.querySelector('leadway-upload')`);
      await page.evaluate(`document.querySelector('leadway-upload').add(${FILE})`);
      await urlsIn(page, '#urls', 1);
      assert.deepEqual(opened.complaints, []);
    });
  },
  ['chromium'],
);
