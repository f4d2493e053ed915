import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage } from '../helpers/browser-page.ts';
import { guideFiles } from './guide-files.ts';
import { openGuide, serveGuide } from './guide-page.ts';
import { choose, press, textBecomes, urlsIn } from './kit-suite.ts';

const FILE = `new File(['Hello'], 'hello.txt')`;
const PROGRAM = `new File(['MZ'], 'setup.exe')`;
const ADD = `document.querySelector('leadway-upload').add(${FILE})`;
const MESSAGES = { env: { PASSTHROUGH: 'POST /conversations/messages' } };

/** The `main.tsx` of the template of Vite, around the component `App` of a guide. */
const VITE = {
  'src/index.html': '<div id="root"></div>',
  'src/main.tsx': `
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import App from './App.tsx';

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>);
`,
};
/** What Next.js does in the browser with the page of a guide, which it has rendered on the server. */
const NEXT = `
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import Page from './app/page';

const root = document.querySelector('#root');
root.innerHTML = renderToString(<Page />);
hydrateRoot(root, <Page />, { onRecoverableError: console.error });
`;

describeInBrowsers(
  'the guides to begin with',
  (browser) => {
    for (const [name, entry, page, input] of [
      ['React', 'main.tsx', 'index.html', '#app input[type=file]'],
      ['no framework', 'vanilla.ts', 'vanilla.html', null],
    ] as const) {
      it(`send a message with what has arrived, and keep what failed: ${name}`, async () => {
        const options = { entry, page, testServer: MESSAGES };
        await using opened = await openGuide(browser(), 'composer', options);
        const { testServer } = opened;
        if (input === null) {
          await opened.page.evaluate(ADD.replace(FILE, PROGRAM));
          await opened.page.evaluate(ADD);
        } else {
          await choose(opened.page, input, PROGRAM);
          await choose(opened.page, input, FILE);
          await textBecomes(opened.page, 'form', /hello\.txt: done/);
        }
        await press(opened.page, 'button:not([type])');
        await textBecomes(opened.page, 'output', /Sent with 1 attachments/);
        const kept = `document.querySelector('leadway-upload')?.items.map(({ file }) => file.name).join()`;
        const shown = `${kept} ?? document.forms[0].innerText`;
        await opened.page.waitForFunction(`/setup.exe/.test(${shown}) && !/hello/.test(${shown})`);
        const message = testServer.sandbox.requests.find(({ path }) => path === '/conversations/messages');
        assert(message !== undefined);
        assert.deepEqual(opened.complaints, []);
      });
    }

    it('show the upload element in a new app of Vite', async () => {
      const options = { entry: 'src/main.tsx', page: 'src/index.html', added: VITE };
      await using opened = await openGuide(browser(), 'quick-start', options);
      await opened.page.waitForSelector('leadway-upload');
      await opened.page.evaluate(ADD);
      await urlsIn(opened.page, '#urls', 1);
      assert.deepEqual(opened.complaints, []);
    });

    it('show the upload element in a page without a build', async () => {
      await using served = await serveGuide('quick-start', { entry: 'src/main.tsx', added: VITE });
      const { site, testServer } = served;
      const html = guideFiles('quick-start').get('page.html') ?? '';
      const icon = '<link rel="icon" href="data:,">';
      site.files.set('/page.html', [
        'text/html',
        html.replaceAll('http://127.0.0.1:3000', testServer.url) + icon,
      ]);
      await using opened = await openPage(browser(), `${site.origin}/page.html`);
      const { page, complaints } = opened;
      await page.waitForFunction(`document.querySelector('leadway-upload')?.add !== undefined`);
      await page.evaluate(ADD);
      await page.waitForFunction(`document.querySelector('leadway-upload').value.length === 1`);
      await testServer.assertClean({ completeUploads: 1 });
      assert.deepEqual(complaints, []);
    });

    it('show the upload element in Next.js', async () => {
      const added = { 'main.tsx': NEXT, 'index.html': '<div id="root"></div>' };
      await using opened = await openGuide(browser(), 'nextjs', { entry: 'main.tsx', added });
      await opened.page.waitForSelector('leadway-upload');
      await opened.page.evaluate(ADD);
      await urlsIn(opened.page, '#urls', 1);
      assert.deepEqual(opened.complaints, []);
    });

    it('make uploads a field of react-hook-form', async () => {
      await using opened = await openGuide(browser(), 'react-hook-form', { entry: 'main.tsx' });
      const { page, testServer } = opened;
      await press(page, 'button');
      await textBecomes(page, '[role=alert]', /Attach a file\./);
      await page.type('input[name=text]', 'See this');
      await page.evaluate(ADD);
      await page.waitForFunction(`document.querySelector('leadway-upload').value.length === 1`);
      await textBecomes(page, '#app > form > [role=alert]', /^$/);
      await press(page, 'button');
      await textBecomes(page, '#sent', /"text":"See this","attachments":\["http/);
      const state = `[document.querySelector('input[name=text]').value, document.querySelector('leadway-upload').items.length]`;
      assert.deepEqual(await page.evaluate(state), ['', 0]);
      await testServer.assertClean({ completeUploads: 1 });
      assert.deepEqual(opened.complaints, []);
    });
  },
  ['chromium'],
);
