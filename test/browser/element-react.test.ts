import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { LeadwayUploadArea } from '../../client/element/react.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage } from '../helpers/browser-page.ts';
import { bundleComponent } from '../helpers/bundle-component.ts';
import { createSite } from '../helpers/site.ts';
import { createTestServer } from '../helpers/test-server.ts';
import { textsIn, waitForCards } from './element-page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A form in React's strict mode, which mounts twice to find leaks. */
const COMPONENT = `
  import { createElement as h, StrictMode, useRef, useState } from 'react';
  import { createRoot } from 'react-dom/client';
  import { LeadwayUploadArea } from '${ROOT}client/element/react.ts';

  window.seen = [];
  const options = { headers: { 'X-Test': 'yes' }, onRequest: ({ url }) => window.seen.push(url) };
  function Form() {
    const [urls, setUrls] = useState([]);
    const upload = useRef(null);
    return h('div', null,
      h(LeadwayUploadArea, {
        ref: upload, endpoint: window.endpoint, conversation: window.conversation, multiple: true, max: 2,
        className: 'attachments', options, texts: { choose: () => 'Attach' }, onChange: setUrls,
        onDone: ({ item }) => window.seen.push('done ' + item.file.name),
        onEnd: (results) => window.seen.push('end ' + results.length),
      }),
      h('button', { onClick: () => upload.current.add([new File(['Hello'], 'hello.txt')]) }, 'Add'),
      h('output', null, urls.join(' ')));
  }
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  root.render(h(StrictMode, null, h(Form)));
  window.unmount = () => root.unmount();
`;

describe('<LeadwayUploadArea> on a server', () => {
  it('is the element with its attributes, and nothing of the properties', () => {
    const html = renderToString(
      createElement(LeadwayUploadArea, {
        conversation: 'sandboxConversation01',
        multiple: true,
        required: false,
        max: 3,
        texts: { choose: () => 'Attach' },
        onChange: () => undefined,
      }),
    );
    assert.equal(
      html,
      '<leadway-upload conversation="sandboxConversation01" multiple="" max="3"></leadway-upload>',
    );
  });
});

describeInBrowsers('<LeadwayUploadArea>', (browser) => {
  let script = '';
  before(async () => {
    script = await bundleComponent(COMPONENT);
  });

  it('has the props of the element, reports what happens, and ends with its component', async () => {
    await using site = await createSite();
    await using testServer = await createTestServer({ env: { ALLOWED_ORIGINS: site.origin } });
    const ids = { endpoint: testServer.api, conversation: testServer.fields['conversationId'] };
    site.files.set('/', [
      'text/html',
      `<!doctype html><html lang="en"><title>Form</title><link rel="icon" href="data:,"><body>
<script>Object.assign(window, ${JSON.stringify(ids)})</script><script type="module" src="main.js"></script></body></html>`,
    ]);
    site.files.set('/main.js', ['text/javascript', script]);
    await using watched = await openPage(browser(), `${site.origin}/`, { ready: 'leadway-upload' });
    const { page, complaints } = watched;
    assert.deepEqual(await textsIn(page, '.browse'), ['Attach']);
    assert.equal(await page.evaluate(() => document.querySelector('leadway-upload')?.max), 2);
    assert.equal(
      await page.evaluate(() => document.querySelector('.attachments')?.localName),
      'leadway-upload',
    );
    await page.evaluate(() => document.querySelector('button')?.click());
    await waitForCards(page, 'done');
    await page.waitForFunction(() => document.querySelector('output')?.textContent !== '');
    const seen = (await page.evaluate('window.seen')) as string[];
    assert(seen.includes('done hello.txt') && seen.includes('end 1'), seen.join());
    const configs = seen.filter((entry) => entry.endsWith('/config'));
    assert.equal(configs.length, 2, 'the settings of `options` count from the first request on'); // start and end
    await page.evaluate('window.unmount()');
    assert.deepEqual(await page.evaluate(() => document.querySelectorAll('leadway-upload').length), 0);
    await testServer.assertClean({ completeUploads: 1 });
    assert.deepEqual(complaints, []);
  });
});
