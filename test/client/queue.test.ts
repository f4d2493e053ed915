import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { within } from '../helpers/within.ts';
import { openClientPage } from './client-page.ts';

describeInBrowsers('the client with several files', (browser) => {
  it('sends a bounded number at once, and resolves in their order', async () => {
    await using client = await openClientPage(browser());
    const evaluated = client.page.evaluate(async ({ endpoint, ids }) => {
      const order: string[] = [];
      let now = 0;
      let most = 0;
      const uploader = window.client.createUploader({
        endpoint,
        concurrency: 2,
        onRequest({ file, endedAtMs }) {
          if (file === undefined) return;
          if (endedAtMs === undefined) order.push(file.name);
          now += endedAtMs === undefined ? 1 : -1;
          most = Math.max(most, now);
        },
      });
      const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'];
      const all = await uploader.upload(
        names.map((name) => window.textFile(name, 50_000)),
        ids,
      );
      return {
        most,
        order,
        names: all.map(({ name }) => name),
        urls: new Set(all.map(({ url }) => url)).size,
      };
    }, client.setting);
    const seen = await within(evaluated, 'all uploads have ended', 30_000);
    const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt'];
    assert.deepEqual(seen, { most: 2, order: names, names, urls: 5 });
    await client.testServer.assertClean({ completeUploads: 5 });
  });

  it('reports how each ended, or throws the first error once all have ended', async () => {
    await using client = await openClientPage(browser());
    const evaluated = client.page.evaluate(async ({ endpoint, ids }) => {
      const uploader = window.client.createUploader({ endpoint });
      const files = [
        window.textFile('a.txt', 10),
        window.textFile('b.exe', 10),
        window.textFile('c.txt', 10),
        window.textFile('d.txt', 0),
      ];
      const settled = await uploader.uploadAll(files, ids);
      const codes = settled.map((end) =>
        end.status === 'rejected' ? `${end.file.name} ${end.reason.code}` : end.value.name,
      );
      const error = await uploader.upload(files, ids).catch(({ code }) => code);
      const none = await uploader.upload([], ids).catch(({ code, status }) => `${code} ${status}`);
      return { codes, error, none, noneSettled: await uploader.uploadAll([], ids) };
    }, client.setting);
    const seen = await within(evaluated, 'all uploads have ended', 30_000);
    assert.deepEqual(seen, {
      codes: ['a.txt', 'b.exe TYPE_NOT_ALLOWED', 'c.txt', 'd.txt EMPTY_FILE'],
      error: 'TYPE_NOT_ALLOWED',
      none: 'NO_FILE 400',
      noneSettled: [],
    });
    await client.testServer.assertClean({ completeUploads: 4 });
  });

  it('starts no file while it is paused', async () => {
    await using client = await openClientPage(browser());
    const evaluated = client.page.evaluate(async ({ endpoint, ids }) => {
      const started: string[] = [];
      const uploader = window.client.createUploader({
        endpoint,
        concurrency: 1,
        onRequest: ({ file, endedAtMs }) => file && endedAtMs === undefined && started.push(file.name),
      });
      const first = uploader.upload(window.textFile('a.txt', 10), ids);
      const second = uploader.upload(window.textFile('b.txt', 10), ids);
      uploader.pause();
      // Other requests get their response meanwhile.
      await uploader.check(window.textFile('c.txt', 10));
      await new Promise((resolve) => setTimeout(resolve)); // both are in the queue then
      const whilePaused = [...started];
      uploader.resume();
      await first;
      uploader.pause();
      uploader.resume();
      await second;
      return { whilePaused, started };
    }, client.setting);
    const seen = await within(evaluated, 'all uploads have ended', 30_000);
    assert.deepEqual(seen, { whilePaused: [], started: ['a.txt', 'b.txt'] });
    await client.testServer.assertClean({ completeUploads: 2 });
  });

  it('takes back what is cancelled in the queue', async () => {
    await using client = await openClientPage(browser());
    const evaluated = client.page.evaluate(async ({ endpoint, ids }) => {
      const uploader = window.client.createUploader({ endpoint, concurrency: 1 });
      uploader.pause();
      const cancel = new AbortController();
      const waiting = uploader.upload(window.textFile('a.txt', 10), { ...ids, signal: cancel.signal });
      const other = uploader.upload(window.textFile('b.txt', 10), ids);
      await uploader.config();
      await new Promise((resolve) => setTimeout(resolve)); // both are in the queue then
      cancel.abort();
      const reason = await waiting.catch((error) => error === cancel.signal.reason && error.name);
      const all = await uploader.uploadAll([window.textFile('c.txt', 10)], { ...ids, signal: cancel.signal });
      uploader.resume();
      const codes = all.map((end) => end.status === 'rejected' && end.reason.code);
      return { reason, codes, other: (await other).name };
    }, client.setting);
    const seen = await within(evaluated, 'all uploads have ended', 30_000);
    assert.deepEqual(seen, { reason: 'AbortError', codes: ['ABORTED'], other: 'b.txt' });
    await client.testServer.assertClean({ completeUploads: 1 });
  });
});
