import assert from 'node:assert/strict';
import type { Frame } from 'puppeteer-core';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage, type WatchedPage } from '../helpers/browser-page.ts';
import { createSite } from '../helpers/site.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { type GuideOptions, type ServedGuide, serveGuide } from './guide-page.ts';
import { choose, textBecomes, urlsIn } from './kit-suite.ts';

const FILE = `new File(['Hello'], 'hello.txt')`;
/** The guide's session with the preset for Uppy, as the guide says that it goes. */
const WITH_UPPY = `
import Uppy from '@uppy/core';
import XHRUpload from '@uppy/xhr-upload';
import { xhrUploadOptions } from 'leadway-bff-client/uppy';
import { sessionHeaders } from './session.ts';

const to = { conversationId: 'sandboxConversation01', contactId: 'sandboxContact01', channel: 'WHATSAPP' };
const uppy = new Uppy({ meta: to, autoProceed: true });
uppy.use(XHRUpload, xhrUploadOptions(uppy, { endpoint: '/api', headers: sessionHeaders }));
uppy.on('upload-success', (file, { uploadURL }) => (document.querySelector('#state').value += uploadURL + '\\n'));
document.querySelector('#files').onchange = ({ target }) => uppy.addFile(target.files[0]);
`;

describeInBrowsers(
  'the guide for custom pages',
  (browser) => {
    it('signs the user of the CRM in and uploads from its frame', async () => {
      await using served = await serveGuide('custom-page', { testServer: { env: SSO_ENV } });
      await using crm = await openInCrm(served);
      await textBecomes(crm.frame, '#state', /Signed in/);
      await choose(crm.frame, '#files', FILE);
      const [url = ''] = await urlsIn(crm.frame, '#state', 1);
      assert.equal(await (await fetch(url)).text(), 'Hello');
      const sessions = served.testServer.log.entries.filter(({ route }) => route === '/api/session');
      assert.deepEqual(
        sessions.map(({ method, status }) => [method, status]).filter(([method]) => method === 'POST'),
        [['POST', 200]],
      );
      await served.testServer.assertClean({ completeUploads: 1 });
      assert.deepEqual(crm.complaints, []);
    });

    it('says what is wrong when the secret of the app is another one', async () => {
      await using served = await serveGuide('custom-page', { testServer: { env: SSO_ENV } });
      await using crm = await openInCrm(served, 'the-secret-of-another-app-0123456789');
      await textBecomes(crm.frame, '#state', /sign in/i);
      const sessions = served.testServer.log.entries.filter(({ route }) => route === '/api/session');
      assert.equal(sessions.at(-1)?.['code'], 'UNAUTHENTICATED');
      await served.testServer.assertClean();
    });

    it('gives the session to Uppy as well, for the server and not for storage', async () => {
      const options: GuideOptions = {
        entry: 'with-uppy.js',
        added: { 'with-uppy.js': WITH_UPPY },
        testServer: { env: SSO_ENV },
      };
      await using served = await serveGuide('custom-page', options);
      await using crm = await openInCrm(served);
      await choose(crm.frame, '#files', FILE);
      await urlsIn(crm.frame, '#state', 1);
      await choose(crm.frame, '#files', `new File([new Uint8Array(6_000_000).fill(65)], 'long.txt')`);
      await urlsIn(crm.frame, '#state', 2);
      const put = served.testServer.sandbox.requests.find(({ method }) => method === 'PUT');
      assert(put !== undefined);
      assert.equal(put.headers['authorization'], undefined);
      await served.testServer.assertClean({ completeUploads: 1 });
    });

    /** Opens the guide's page in a frame of another site, which answers it as the CRM does. */
    async function openInCrm(
      { site, testServer }: ServedGuide,
      secret?: string,
    ): Promise<{ readonly frame: Frame } & Pick<WatchedPage, 'complaints'> & AsyncDisposable> {
      await using stack = new AsyncDisposableStack();
      const payload = encryptContext(userContext(testServer.sandbox.locationId), secret);
      const crm = stack.use(await createSite('localhost'));
      const answer = JSON.stringify({ message: 'REQUEST_USER_DATA_RESPONSE', payload });
      crm.files.set('/', [
        'text/html',
        `<!doctype html><title>CRM</title><link rel="icon" href="data:,"><script>
        addEventListener('message', ({ source, data }) => {
          if (data.message === 'REQUEST_USER_DATA') source.postMessage(${answer}, '*');
        });</script><iframe src="${site.origin}/"></iframe>`,
      ]);
      const { page, complaints } = stack.use(await openPage(browser(), `${crm.origin}/`));
      const frame = await page.waitForFrame((one) => one.url().startsWith(site.origin));
      const all = stack.move();
      return { frame, complaints, [Symbol.asyncDispose]: () => all.disposeAsync() };
    }
  },
  ['chromium'],
);
