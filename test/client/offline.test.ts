import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { type ClientPage, openClientPage } from './client-page.ts';

/** Uploads, takes the network away when the file is to go into storage, and gives it back. */
async function loseAndFind(
  { page, setting, testServer }: ClientPage,
  wire: readonly string[],
): Promise<void> {
  let isGone = false;
  await page.setRequestInterception(true);
  page.on('request', async (request) => {
    if (request.method() !== 'PUT' || isGone) return request.continue();
    // The network goes when the file is to go into storage.
    isGone = true;
    await page.setOfflineMode(true);
    await request.abort('internetdisconnected');
  });
  const isReported = page.waitForFunction(() => document.body.dataset['waitsFor'] === 'OFFLINE');
  const uploading = page.evaluate(async ({ endpoint, ids }) => {
    const wire: string[] = [];
    const uploader = window.client.createUploader({
      endpoint,
      retries: 0,
      onRequest: ({ endedAtMs, target, url, status }) =>
        endedAtMs && wire.push(`${target === 'storage' ? target : url.slice(endpoint.length)} ${status}`),
    });
    const phases: string[] = [];
    const { mode } = await uploader.upload(window.textFile('a.txt', 5000), {
      ...ids,
      onProgress: ({ phase, waitingFor, retryAtMs }) => {
        if (waitingFor === undefined) return;
        phases.push(`${phase} ${waitingFor} ${retryAtMs === undefined}`);
        document.body.dataset['waitsFor'] = waitingFor;
      },
    });
    return { wire, mode, phases };
  }, setting);
  await isReported;
  await page.setOfflineMode(false);
  const seen = await uploading;
  assert.equal(seen.mode, 'direct');
  assert.deepEqual(seen.phases, ['waiting OFFLINE true']);
  assert.deepEqual(seen.wire, wire);
  await testServer.assertClean();
}

describeInBrowsers(
  'the client when the network is gone',
  (browser) => {
    const initiate = '/messages/upload/initiate 200';
    for (const { title, urlTtlMs, again } of [
      { title: 'uses a signed URL again', urlTtlMs: 900_000, again: [] },
      { title: 'asks for another when it is about to expire', urlTtlMs: 30_000, again: [initiate] },
    ]) {
      it(`waits for it without counting a retry, and ${title}`, async () => {
        await using client = await openClientPage(browser(), {
          env: { FORWARD_MAX_BYTES: '1000' },
          sandbox: { urlTtlMs },
        });
        await loseAndFind(client, [
          '/config 200',
          initiate,
          'storage 0',
          ...again,
          'storage 200',
          '/messages/upload/complete 200',
        ]);
      });
    }

    it('can be cancelled meanwhile', async () => {
      await using client = await openClientPage(browser());
      const { page, setting } = client;
      await page.evaluate(({ endpoint }) => window.client.createUploader({ endpoint }).config(), setting);
      await page.setOfflineMode(true);
      const name = await page.evaluate(async ({ endpoint, ids }) => {
        const cancel = new AbortController();
        const uploader = window.client.createUploader({ endpoint });
        const onProgress = ({ waitingFor }: { waitingFor?: string | undefined }) =>
          waitingFor === 'OFFLINE' && cancel.abort();
        return uploader
          .upload(window.textFile('a.txt', 10), { ...ids, signal: cancel.signal, onProgress })
          .catch((error) => error.name);
      }, setting);
      assert.equal(name, 'AbortError');
    });
  },
  ['chromium'], // Firefox can't be set offline
);
