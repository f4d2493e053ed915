import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openClientPage } from './client-page.ts';
import { uploadText } from './upload-text.ts';

const USUAL_PHASES = ['waiting', 'checking', 'uploading', 'confirming', 'done'];

describeInBrowsers('the client chooses the mode that carries the file', (browser) => {
  it('forwards small files', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes: 300_000 });
    assert.equal(seen.result?.mode, 'forward');
    assert.equal(seen.result.name, 'a.txt');
    assert.deepEqual(seen.wire, ['GET /config 200', 'POST /messages/upload 200']);
    assert.deepEqual(seen.phases, USUAL_PHASES);
    assert.deepEqual(
      seen.fractions,
      seen.fractions.toSorted((a, b) => a - b),
    );
    assert.equal(seen.last?.fraction, 1);
    assert.equal(seen.last.loadedBytes, 300_000);
    assert.equal((await (await fetch(seen.result.url)).bytes()).length, 300_000);
    assert.deepEqual(client.complaints, []);
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('sends the leading bytes of a large file, PUTs it into storage and completes by ticket', async () => {
    await using client = await openClientPage(browser(), { env: { FORWARD_MAX_BYTES: '100000' } });
    const { setting, testServer } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes: 2_000_000 });
    assert.equal(seen.result?.mode, 'direct');
    assert.equal((await (await fetch(seen.result.url)).bytes()).length, 2_000_000);
    assert.deepEqual(seen.phases, USUAL_PHASES);
    assert.deepEqual(
      seen.fractions,
      seen.fractions.toSorted((a, b) => a - b),
    );
    assert.deepEqual(seen.wire, [
      'GET /config 200',
      'POST /messages/upload/initiate 200',
      'PUT storage 200',
      'POST /messages/upload/complete 200',
    ]);
    assert.deepEqual(
      seen.entries.map(({ bytes }) => bytes),
      [undefined, 65_536, 2_000_000, undefined],
    );
    assert(!seen.entries.some(({ url }) => url.includes('?')), 'no signature is reported');
    const put = testServer.sandbox.requests.find(
      ({ service, method }) => service === 'storage' && method === 'PUT',
    );
    assert.equal(put?.headers['content-type'], 'text/plain');
    await testServer.assertClean();
  });

  it('uses the mode that is named', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    for (const mode of ['forward', 'direct', 'relay'] as const) {
      const seen = await client.page.evaluate(uploadText, { setting, bytes: 10_000, upload: { mode } });
      assert.equal(seen.result?.mode, mode);
      assert.equal((await (await fetch(seen.result.url)).bytes()).length, 10_000);
    }
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('uses direct where the channel carries more', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const bytes = 6_000_000;
    const rejected = await client.page.evaluate(uploadText, { setting, bytes });
    assert.deepEqual(
      { ...rejected.error, wire: rejected.wire },
      {
        code: 'FILE_TOO_LARGE',
        status: 413,
        retryable: false,
        message: 'The file is larger than 5 MB. Send a smaller one, or a link to it.',
        name: 'UploadError',
        wire: ['GET /config 200'],
      },
    );
    const taken = await client.page.evaluate(uploadText, { setting, bytes, upload: { channel: 'whatsapp' } });
    assert.equal(taken.result?.mode, 'direct');
    await client.testServer.assertClean();
  });
});
