import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openClientPage, type Setting } from './client-page.ts';

interface Wish {
  readonly setting: Setting;
  readonly bytes: number;
  readonly mode: 'auto' | 'forward' | 'direct' | 'relay';
}

/** Runs in the page: uploads a text and tells what could be seen of it. */
async function uploadText({ setting: { endpoint, ids }, bytes, mode }: Wish) {
  const entries: import('../../client/index.ts').RequestEntry[] = [];
  const progress: import('../../client/index.ts').UploadProgress[] = [];
  const uploader = window.client.createUploader({ endpoint, onRequest: (entry) => entries.push(entry) });
  const {
    name,
    url,
    mode: taken,
  } = await uploader.upload(window.textFile('a.txt', bytes), {
    ...ids,
    mode,
    onProgress: (now) => progress.push(now),
  });
  const stored = await (await fetch(url)).text().catch(() => '');
  return {
    name,
    url,
    taken,
    storedBytes: stored.length,
    entries: entries.filter(({ endedAtMs }) => endedAtMs !== undefined),
    phases: progress.map(({ phase }) => phase).filter((phase, place, all) => phase !== all[place - 1]),
    fractions: progress.map(({ fraction }) => fraction),
    last: progress.at(-1),
  };
}

describeInBrowsers('the client takes the way that carries the file', (browser) => {
  it('forwards what is small', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes: 300_000, mode: 'auto' as const });
    assert.equal(seen.taken, 'forward');
    assert.equal(seen.name, 'a.txt');
    assert.deepEqual(
      seen.entries.map(({ method, target, status }) => [method, target, status]),
      [
        ['GET', 'server', 200],
        ['POST', 'server', 200],
      ],
    );
    assert.deepEqual(seen.phases, ['waiting', 'checking', 'uploading', 'confirming', 'done']);
    assert.deepEqual(
      seen.fractions,
      seen.fractions.toSorted((a, b) => a - b),
    );
    assert.equal(seen.last?.fraction, 1);
    assert.equal(seen.last?.loadedBytes, 300_000);
    assert.equal((await (await fetch(seen.url)).bytes()).length, 300_000);
    await client.house.assertTidy({ completeUploads: 1 });
  });

  it('sends the head of what is large, puts the file into storage and completes by ticket', async () => {
    await using client = await openClientPage(browser(), { env: { FORWARD_MAX_BYTES: '100000' } });
    const { setting, house } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes: 2_000_000, mode: 'auto' as const });
    assert.equal(seen.taken, 'direct');
    assert.equal((await (await fetch(seen.url)).bytes()).length, 2_000_000);
    assert.deepEqual(seen.phases, ['waiting', 'checking', 'uploading', 'confirming', 'done']);
    assert.deepEqual(
      seen.fractions,
      seen.fractions.toSorted((a, b) => a - b),
    );
    const [, initiate, put, complete] = seen.entries;
    assert(initiate !== undefined && initiate.url.endsWith('/messages/upload/initiate'));
    assert.equal(initiate.bytes, 65_536);
    assert.equal(put?.target, 'storage');
    assert.equal(put.bytes, 2_000_000);
    assert(!put.url.includes('?'), 'no signature is told');
    assert(complete?.url.endsWith('/messages/upload/complete'));
    const stored = house.sandbox.requests.find(
      ({ method, service }) => service === 'storage' && method === 'PUT',
    );
    assert.equal(stored?.headers['content-type'], 'text/plain');
    assert.equal(stored.headers['authorization'], undefined);
    assert.equal(stored.headers['accept-language']?.includes('en'), true);
    await house.assertTidy();
  });

  it('takes the way that is named', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    for (const mode of ['forward', 'direct', 'relay'] as const) {
      const seen = await client.page.evaluate(uploadText, { setting, bytes: 10_000, mode });
      assert.equal(seen.taken, mode);
      assert.equal((await (await fetch(seen.url)).bytes()).length, 10_000);
    }
    await client.house.assertTidy({ completeUploads: 1 });
  });
});
