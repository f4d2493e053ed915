import assert from 'node:assert/strict';
import type { UploadOptions } from '../../client/index.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openClientPage, type Setting } from './client-page.ts';

interface Cut {
  readonly setting: Setting;
  readonly mode: NonNullable<UploadOptions['mode']>;
  /** When to cancel: at the first news of this. */
  readonly at: { readonly phase: string; readonly fraction: number };
  readonly conversationId?: string;
}

/** Runs in the page: uploads and cancels; returns the name of what the upload rejected with. */
async function cancelAt({ setting: { endpoint, ids }, mode, at, conversationId }: Cut) {
  const cancel = new AbortController();
  const codes: string[] = [];
  const uploader = window.client.createUploader({
    endpoint,
    onRequest: ({ code }) => code && codes.push(code),
  });
  let isOver = false;
  let lateNews = 0;
  const upload = uploader.upload(window.textFile('a.txt', 20_000_000), {
    ...ids,
    channel: 'WHATSAPP',
    ...(conversationId && { conversationId }),
    mode,
    signal: cancel.signal,
    onProgress({ phase, fraction }) {
      if (isOver) lateNews++;
      if (phase === at.phase && fraction >= at.fraction) cancel.abort();
    },
  });
  const name = await upload.then(
    () => 'uploaded',
    (error) => (error === cancel.signal.reason ? error.name : String(error)),
  );
  isOver = true;
  // Once a later request has its response, all earlier reports have come.
  await uploader.config();
  return { name, codes, lateNews };
}

describeInBrowsers('an upload that is cancelled', (browser) => {
  const slow = { readBytesPerSecond: 10_000_000 };
  const env = { FORWARD_MAX_BYTES: '30000000' };

  describe('leaves nothing behind, whenever that is', () => {
    for (const mode of ['forward', 'direct', 'relay'] as const) {
      it(`by ${mode}`, async () => {
        await using client = await openClientPage(browser(), { env, sandbox: slow });
        const { page, testServer, setting } = client;
        for (const at of [
          { phase: 'waiting', fraction: 0 },
          { phase: 'checking', fraction: 0 },
          { phase: 'uploading', fraction: 0 },
          { phase: 'uploading', fraction: 0.1 },
        ]) {
          const { name, lateNews } = await page.evaluate(cancelAt, { setting, mode, at });
          assert.equal(name, 'AbortError', `${at.phase} ${at.fraction}`);
          assert.equal(lateNews, 0);
        }
        await testServer.assertClean();
        const stored = testServer.sandbox.requests.filter(
          ({ path, status }) => path.includes('/complete') && status === 200,
        );
        assert.equal(stored.length, 0, 'nothing was completed');
      });
    }
  });

  it('ends the wait for a response', async () => {
    await using client = await openClientPage(browser(), { env });
    const { page, testServer, setting } = client;
    const at = { phase: 'confirming', fraction: 1 };
    const conversationId = 'fault-upload-never-answers';
    const { name, codes } = await page.evaluate(cancelAt, {
      setting,
      mode: 'forward' as const,
      at,
      conversationId,
    });
    assert.equal(name, 'AbortError');
    assert.deepEqual(codes, ['ABORTED']);
    await testServer.sandbox.waitFor((all) =>
      all.every(({ aborted, left, complete }) => aborted || left || complete),
    );
  });

  it('ends the wait for the next attempt', async () => {
    await using client = await openClientPage(browser());
    const name = await client.page.evaluate(async ({ endpoint, ids }) => {
      const cancel = new AbortController();
      const uploader = window.client.createUploader({ endpoint, retryDelayMs: 600_000 });
      return uploader
        .upload(window.textFile('a.txt', 10), {
          ...ids,
          conversationId: 'fault-upload-status-500',
          signal: cancel.signal,
          onProgress: ({ waitingFor }) => waitingFor && cancel.abort(),
        })
        .catch((error) => error.name);
    }, client.setting);
    assert.equal(name, 'AbortError');
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('never starts when it is cancelled before', async () => {
    await using client = await openClientPage(browser());
    const seen = await client.page.evaluate(async ({ endpoint, ids }) => {
      let requests = 0;
      const uploader = window.client.createUploader({ endpoint, onRequest: () => requests++ });
      const signal = AbortSignal.abort(new Error('changed my mind'));
      const message = await uploader
        .upload(window.textFile('a.txt', 10), { ...ids, signal })
        .catch((error) => error.message);
      return { message, requests };
    }, client.setting);
    assert.equal(seen.message, 'changed my mind');
    assert.equal(seen.requests, 0);
    await client.testServer.assertClean();
  });
});
