import assert from 'node:assert/strict';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openClientPage } from './client-page.ts';
import { uploadText } from './upload-text.ts';

const LARGE = { FORWARD_MAX_BYTES: '100000' };
const bytes = 200_000;

describeInBrowsers('the client when a mode fails', (browser) => {
  it('requests a fresh URL when storage rejects the first', async () => {
    for (const fault of ['once-storage-expired', 'once-storage-403'] as const) {
      await using client = await openClientPage(browser(), { env: LARGE, sandbox: { fault } });
      const { setting } = client;
      const seen = await client.page.evaluate(uploadText, { setting, bytes });
      assert.equal(seen.result?.mode, 'direct', fault);
      assert.deepEqual(seen.wire, [
        'GET /config 200',
        'POST /messages/upload/initiate 200',
        'PUT storage 0',
        'POST /messages/upload/initiate 200',
        'PUT storage 200',
        'POST /messages/upload/complete 200',
      ]);
      assert.equal(seen.last?.attempt, 2);
      await client.testServer.assertClean();
    }
  });

  it('relays when the page can’t reach storage, and remembers it', async () => {
    await using client = await openClientPage(browser(), { env: LARGE, sandbox: { corsOrigins: [] } });
    const { setting } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes });
    assert.equal(seen.result?.mode, 'relay');
    assert.equal(seen.last?.mode, 'relay');
    assert.equal((await (await fetch(seen.result.url)).bytes()).length, bytes);
    const ways = await client.page.evaluate(
      async ({ endpoint, ids }, size) => {
        const wire: string[] = [];
        const uploader = window.client.createUploader({
          endpoint,
          onRequest: ({ endedAtMs, target, url }) =>
            endedAtMs && wire.push(target === 'storage' ? target : url.slice(endpoint.length)),
        });
        for (const name of ['a.txt', 'b.txt']) await uploader.upload(window.textFile(name, size), ids);
        return wire;
      },
      setting,
      bytes,
    );
    const relay = '/messages/upload?mode=relay';
    const initiate = '/messages/upload/initiate';
    assert.deepEqual(ways, ['/config', initiate, 'storage', initiate, 'storage', relay, relay]);
    await client.testServer.assertClean();
  });

  it('reports STORAGE_REFUSED when direct is the only mode allowed', async () => {
    await using client = await openClientPage(browser(), { sandbox: { fault: 'storage-403' } });
    const { setting } = client;
    const seen = await client.page.evaluate(uploadText, {
      setting,
      bytes,
      upload: { mode: 'direct' as const },
    });
    assert.equal(seen.error?.code, 'STORAGE_REFUSED');
    assert.equal(seen.error.retryable, false);
    const auto = await client.page.evaluate(uploadText, {
      setting,
      bytes,
      upload: { mode: 'relay' as const },
    });
    assert.equal(auto.error?.code, 'STORAGE_REFUSED');
    await client.testServer.assertClean();
  });

  it('forwards when Leadway gives out no signed URLs any more', async () => {
    await using client = await openClientPage(browser(), { env: LARGE, sandbox: { fault: 'no-initiate' } });
    const { setting } = client;
    const seen = await client.page.evaluate(uploadText, { setting, bytes });
    assert.equal(seen.result?.mode, 'forward');
    assert.deepEqual(seen.wire, [
      'GET /config 200',
      'POST /messages/upload/initiate 502',
      'GET /config 200',
      'POST /messages/upload 200',
    ]);
    const named = await client.page.evaluate(uploadText, {
      setting,
      bytes,
      upload: { mode: 'direct' as const },
    });
    assert.equal(named.error?.code, 'DIRECT_UNAVAILABLE');
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('forwards all files that asked for a signed URL at the same time', async () => {
    await using client = await openClientPage(browser(), { env: LARGE, sandbox: { fault: 'no-initiate' } });
    const modes = await client.page.evaluate(
      async ({ endpoint, ids }, size) => {
        const uploader = window.client.createUploader({ endpoint });
        const files = ['a.txt', 'b.txt', 'c.txt'].map((name) => window.textFile(name, size));
        return (await uploader.upload(files, ids)).map(({ mode }) => mode);
      },
      client.setting,
      bytes,
    );
    assert.deepEqual(modes, ['forward', 'forward', 'forward']);
    await client.testServer.assertClean({ completeUploads: 3 });
  });

  it('tries signed URLs again after some minutes', async () => {
    await using client = await openClientPage(browser(), { env: LARGE, sandbox: { fault: 'no-initiate' } });
    const { testServer, page, setting } = client;
    await page.exposeFunction('offerAgain', () => {
      testServer.sandbox.fault = null;
      testServer.server.context.capability.noteOffered(testServer.sandbox.locationId);
    });
    const steps = await page.evaluate(
      async ({ endpoint, ids }, size) => {
        const wire: string[] = [];
        const uploader = window.client.createUploader({
          endpoint,
          onRequest: ({ endedAtMs, target, url }) =>
            endedAtMs && wire.push(target === 'storage' ? target : (url.split('/').at(-1) ?? '')),
        });
        const upload = async (name: string) => {
          await uploader.upload(window.textFile(name, size), ids);
          return wire.splice(0).join(' ');
        };
        const [first, soon] = [await upload('a.txt'), await upload('b.txt')];
        await (window as unknown as { offerAgain(): Promise<void> }).offerAgain();
        const now = Date.now;
        Date.now = () => now() + 6 * 60_000;
        return [first, soon, await upload('c.txt')];
      },
      setting,
      bytes,
    );
    assert.deepEqual(steps, ['config initiate config upload', 'upload', 'config initiate storage complete']);
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('completes again, and does not send the file again, when completing failed', async () => {
    await using client = await openClientPage(browser(), { env: LARGE });
    const { setting } = client;
    for (const fault of ['once-complete-status-400', 'once-complete-html', 'once-complete-429-retry-after']) {
      const upload = { conversationId: `fault-${fault}` };
      const seen = await client.page.evaluate(uploadText, { setting, bytes, upload });
      const isRejected = fault.endsWith('400');
      assert.equal(seen.error?.code, isRejected ? 'UPSTREAM_REJECTED' : undefined, fault);
      const puts = seen.wire.filter((line) => line.startsWith('PUT'));
      assert.deepEqual(puts, ['PUT storage 200'], fault);
      assert.deepEqual(
        seen.fractions.slice(seen.fractions.indexOf(1)).filter((fraction) => fraction !== 1),
        [],
        'what has been sent stays sent',
      );
    }
  });

  it('sends the file again when its ticket is lost', async () => {
    await using client = await openClientPage(browser(), { env: LARGE });
    const { setting, testServer } = client;
    await client.page.exposeFunction('forget', () => testServer.sandbox.reset());
    const seen = await client.page.evaluate(
      async ({ endpoint, ids }, size) => {
        const wire: string[] = [];
        let isForgotten = false;
        const uploader = window.client.createUploader({
          endpoint,
          retryDelayMs: 20,
          // Between storing and completing, everything that Leadway knows is lost.
          async headers() {
            if (wire.at(-1)?.startsWith('storage') && !isForgotten) {
              isForgotten = true;
              await (window as unknown as { forget(): Promise<void> }).forget();
            }
            return {};
          },
          onRequest: ({ endedAtMs, target, url, status }) =>
            endedAtMs && wire.push(`${target === 'storage' ? target : url.slice(endpoint.length)} ${status}`),
        });
        const { mode } = await uploader.upload(window.textFile('a.txt', size), ids);
        return { wire, mode };
      },
      setting,
      bytes,
    );
    assert.equal(seen.mode, 'direct');
    const [initiate, complete] = ['/messages/upload/initiate', '/messages/upload/complete'];
    const again = [`${initiate} 200`, 'storage 200'];
    assert.deepEqual(seen.wire, ['/config 200', ...again, `${complete} 404`, ...again, `${complete} 200`]);
    await testServer.assertClean();
  });
});
