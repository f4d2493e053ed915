import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { seen } from '../helpers/direct-steps.ts';
import type { TestServerOptions } from '../helpers/test-server.ts';
import { assertHonest } from './honest-progress.ts';
import { openStage } from './stage.ts';

/** Too large to be forwarded here. */
const FILE = { name: 'a.txt', bytes: 2_000_000 };
const SMALL_FORWARDS: TestServerOptions = { env: { FORWARD_MAX_BYTES: '100000' } };
const OFFER = 'POST /initiate 200';
const COMPLETE = 'POST /complete 200';

describeInBrowsers('recovery', (browser) => {
  it('from a signed URL that has expired, by a fresh one', async () => {
    await using stage = await openStage(browser(), 'another origin', SMALL_FORWARDS);
    const { testServer } = stage;
    testServer.sandbox.fault = 'once-storage-expired';
    await stage.make(FILE);
    await stage.begin();
    assert.equal((await stage.done()).mode, 'direct');
    // Storage responds with 400 without CORS headers: to the page that is no response at all.
    assert.deepEqual(await stage.wire(), [
      'GET /config 200',
      OFFER,
      'PUT storage 0',
      OFFER,
      'PUT storage 200',
      COMPLETE,
    ]);
    assertHonest(await stage.history(), FILE.bytes);
    await testServer.assertClean();
  });

  it('from a bucket that rejects pages, by way of the server', async () => {
    await using stage = await openStage(browser(), 'another origin', {
      ...SMALL_FORWARDS,
      sandbox: { corsOrigins: [] },
    });
    const { testServer } = stage;
    await stage.make(FILE);
    await stage.begin();
    const { mode, url } = await stage.done();
    assert.equal(mode, 'relay');
    assert.equal((await (await fetch(url)).text()).length, FILE.bytes);
    assertHonest(await stage.history(), FILE.bytes);
    await testServer.assertClean();
  });

  it('from a Leadway that gives out no signed URLs, by forwarding', async () => {
    await using stage = await openStage(browser(), 'another origin', SMALL_FORWARDS);
    const { testServer } = stage;
    testServer.sandbox.fault = 'no-initiate';
    await stage.make(FILE);
    await stage.begin();
    assert.equal((await stage.done()).mode, 'forward');
    assertHonest(await stage.history(), FILE.bytes);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('ends with an error in words where storage is out of reach for all', async () => {
    await using stage = await openStage(browser(), 'another origin', SMALL_FORWARDS);
    const { testServer } = stage;
    testServer.sandbox.fault = 'storage-refuse';
    await testServer.sandbox.ready();
    await stage.make(FILE);
    await stage.begin({}, { retries: 1 });
    const { error, status, message } = await stage.failed();
    assert.equal(error, 'UploadError');
    assert(status >= 500, message);
    await testServer.assertClean();
  });

  it('from being offline, when the network is back', async () => {
    await using stage = await openStage(browser(), 'another origin');
    const { testServer, page } = stage;
    await page.setOfflineMode(true);
    await stage.make(FILE);
    await stage.begin();
    await stage.until(`sample.waitingFor === 'OFFLINE'`);
    assert.deepEqual(testServer.sandbox.requests, []);
    await page.setOfflineMode(false);
    await stage.done();
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('from going offline in the middle of a file, when the network is back', async () => {
    await using stage = await openStage(browser(), 'another origin', {
      env: { FORWARD_MAX_BYTES: '12000000' },
      sandbox: { readBytesPerSecond: 16_000_000, discardFiles: true },
    });
    const { testServer, page } = stage;
    await stage.make({ name: 'a.txt', bytes: 12_000_000 });
    await stage.begin({ channel: 'WHATSAPP' });
    await testServer.sandbox.waitFor(() => (seen(testServer, 'upload')[0]?.bodyBytes ?? 0) > 100_000);
    await page.setOfflineMode(true);
    // Browsers differ in whether that ends what is in flight.
    await stage.until(`sample.waitingFor === 'OFFLINE' || sample.phase === 'done'`);
    await page.setOfflineMode(false);
    await stage.done();
    assertHonest(await stage.history(), 12_000_000);
    await testServer.assertClean({ completeUploads: 1 });
  });
});
