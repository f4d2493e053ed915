import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { Uploads } from '../../client/react.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { bundleComponent } from '../helpers/bundle-component.ts';
import { openClientPage } from './client-page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What the component of this test leaves behind for the test to look at. */
declare global {
  interface Window {
    /** What the hook returned at each render. */
    renders: Uploads[];
    unmount(): void;
  }
}

/** A component that shows the hook's list, in React's strict mode, which mounts twice to find leaks. */
const COMPONENT = `
  import { createElement as h, StrictMode } from 'react';
  import { flushSync } from 'react-dom';
  import { createRoot } from 'react-dom/client';
  import { useUploads } from '${ROOT}client/react.ts';

  window.renders = [];
  function List() {
    const uploads = useUploads({ endpoint: window.endpoint });
    window.renders.push(uploads);
    return h('ul', null, uploads.items.map(({ id, file, state }) => h('li', { key: id }, file.name + ' ' + state)));
  }
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  flushSync(() => root.render(h(StrictMode, null, h(List))));
  window.unmount = () => root.unmount();
`;

let script = '';

describeInBrowsers('useUploads', (browser) => {
  before('the component is bundled', async function () {
    this.timeout(60_000);
    script ||= await bundleComponent(COMPONENT);
  });

  async function openComponent() {
    const client = await openClientPage(browser(), { env: { FORWARD_MAX_BYTES: '16000000' } });
    await client.page.evaluate((endpoint) => Object.assign(window, { endpoint }), client.setting.endpoint);
    await client.page.evaluate(script);
    return client;
  }

  it('shows each upload from beginning to end, with functions that stay the same', async () => {
    await using client = await openComponent();
    const { page, setting } = client;
    await page.evaluate(
      ({ ids }) => window.renders.at(-1)?.add(window.textFile('a.txt', 1000), ids),
      setting,
    );
    await page.waitForFunction(() => document.querySelector('li')?.textContent === 'a.txt done');
    const seen = await page.evaluate(() => {
      const [first, last] = [window.renders[0], window.renders.at(-1)];
      const names = ['add', 'cancel', 'retry', 'remove', 'clear'] as const;
      const [item] = last?.items ?? [];
      last?.remove(item?.id ?? '');
      return {
        isSame: names.every((name) => first?.[name] === last?.[name]),
        url: item?.result?.url,
        error: item?.error,
      };
    });
    assert(seen.isSame);
    assert.match(seen.url ?? '', /^http/);
    await page.waitForFunction(() => document.querySelector('li') === null);
    assert.deepEqual(client.complaints, []);
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('shows why an upload failed, and tries it again', async () => {
    await using client = await openComponent();
    const { page, setting } = client;
    await page.evaluate(({ ids }) => {
      const conversationId = 'fault-once-upload-status-400';
      window.renders.at(-1)?.add([window.textFile('a.txt', 10)], { ...ids, conversationId });
    }, setting);
    await page.waitForFunction(() => document.querySelector('li')?.textContent === 'a.txt failed');
    const code = await page.evaluate(() => {
      const now = window.renders.at(-1);
      const [item] = now?.items ?? [];
      now?.retry(item?.id ?? '');
      return item?.error?.code;
    });
    assert.equal(code, 'UPSTREAM_REJECTED');
    await page.waitForFunction(() => document.querySelector('li')?.textContent === 'a.txt done');
    await client.testServer.assertClean({ completeUploads: 2 });
  });

  it('ends what is in flight when the component goes', async () => {
    await using client = await openComponent();
    const { page, setting, testServer } = client;
    await page.evaluate(({ ids }) => {
      // More than the buffers on its way hold: past its last byte it runs to its end.
      const conversationId = 'fault-upload-slow-body';
      window.renders.at(-1)?.add(window.textFile('a.txt', 16_000_000), { ...ids, conversationId });
    }, setting);
    await testServer.sandbox.waitFor((all) => all.some(({ bodyBytes }) => bodyBytes > 0));
    await page.evaluate(() => window.unmount());
    await testServer.sandbox.waitFor((all) => all.every(({ left, aborted }) => left || aborted));
  });
});
