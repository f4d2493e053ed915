import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/faults.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { createTestServer, settled } from '../helpers/test-server.ts';
import { openClientPage } from './client-page.ts';
import { uploadText } from './upload-text.ts';

const bytes = 20_000;

describeInBrowsers('the client when a failure may pass', (browser) => {
  it('retries, and reports each attempt', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const faults: [fault: FaultName, code: string, status: number][] = [
      ['once-upload-status-500', 'UPSTREAM_ERROR', 502],
      ['once-upload-status-503', 'UPSTREAM_ERROR', 502],
    ];
    for (const [fault, code, status] of faults) {
      const upload = { conversationId: `fault-${fault}` };
      const seen = await client.page.evaluate(uploadText, { setting, bytes, upload });
      assert.equal(seen.result?.mode, 'forward', JSON.stringify(seen));
      assert.deepEqual(
        seen.wire.slice(1),
        [`POST /messages/upload ${status}`, 'POST /messages/upload 200'],
        fault,
      );
      assert.deepEqual(seen.waits, [code]);
      assert.equal(seen.last?.attempt, 2);
      assert.equal(seen.last.waitingFor, undefined);
      assert.equal(seen.last.retryAtMs, undefined);
    }
  });

  it('does not send again what Leadway may have, and says so', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const upload = { conversationId: 'fault-once-upload-cut' };
    const seen = await client.page.evaluate(uploadText, { setting, bytes, upload });
    assert.equal(seen.error?.code, 'UPSTREAM_ABORTED');
    assert.match(seen.error.message, /look in the conversation/);
    assert.deepEqual(seen.wire.slice(1), ['POST /messages/upload 502']);
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('gives up after the configured retries', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    for (const retries of [0, 2]) {
      const upload = { conversationId: 'fault-upload-status-500' };
      const seen = await client.page.evaluate(uploadText, { setting, bytes, upload, options: { retries } });
      assert.equal(seen.error?.code, 'UPSTREAM_ERROR');
      assert.equal(seen.wire.length, 2 + retries);
      assert.equal(seen.last?.attempt, 1 + retries);
    }
  });

  it('does not retry an error that can’t pass', async () => {
    await using client = await openClientPage(browser());
    const { setting } = client;
    const upload = { conversationId: 'not an id' };
    const seen = await client.page.evaluate(uploadText, { setting, bytes, upload });
    assert.equal(seen.error?.code, 'INVALID_FIELD');
    assert.equal(seen.wire.length, 2);
    await client.testServer.assertClean();
  });

  it('waits as long as the server says, any number of times, without counting a retry', async () => {
    await using client = await openClientPage(browser(), {
      env: { RATE_LIMIT_MAX: '2', RATE_LIMIT_WINDOW_MS: '1000' },
    });
    const ends = await client.page.evaluate(async ({ endpoint, ids }) => {
      const waits = new Set<string>();
      let isReported = true;
      const uploader = window.client.createUploader({ endpoint, retries: 0, concurrency: 2 });
      const files = [1, 2, 3, 4, 5].map((number) => window.textFile(`${number}.txt`, 1000));
      const all = await uploader.uploadAll(files, {
        ...ids,
        onProgress: ({ waitingFor, retryAtMs }) => {
          if (waitingFor === undefined) return;
          waits.add(waitingFor);
          isReported &&= retryAtMs !== undefined && retryAtMs > Date.now();
        },
      });
      return {
        ends: all.map((end) => (end.status === 'rejected' ? end.reason.code : end.value.name)),
        waits: [...waits],
        isReported,
      };
    }, client.setting);
    assert.deepEqual(ends, {
      ends: ['1.txt', '2.txt', '3.txt', '4.txt', '5.txt'],
      waits: ['RATE_LIMITED'],
      isReported: true,
    });
    await client.testServer.assertClean({ completeUploads: 5 });
  });

  it('gives up when it would have to wait for more than an hour', async () => {
    await using client = await openClientPage(browser(), {
      env: { RATE_LIMIT_MAX: '1', RATE_LIMIT_WINDOW_MS: '86400000' },
    });
    const { setting } = client;
    const first = await client.page.evaluate(uploadText, { setting, bytes });
    assert.equal(first.error, undefined);
    const seen = await client.page.evaluate(uploadText, { setting, bytes });
    assert.equal(seen.error?.code, 'RATE_LIMITED');
    assert.equal(seen.error.status, 429);
    await client.testServer.assertClean({ completeUploads: 1 });
  });

  it('reads what the server takes again after that has failed', async () => {
    await using client = await openClientPage(browser());
    const { page, setting } = client;
    const wire = await page.evaluate(async ({ endpoint, ids }) => {
      let calls = 0;
      const wire: string[] = [];
      const uploader = window.client.createUploader({
        endpoint,
        retryDelayMs: 20,
        // The first request of all can't be made.
        headers: () => (calls++ === 0 ? Promise.reject(new Error('no token yet')) : {}),
        onRequest: ({ endedAtMs, url }) => endedAtMs && wire.push(url.slice(endpoint.length)),
      });
      const files = ['a.txt', 'b.txt', 'c.txt'].map((name) => window.textFile(name, 10));
      await uploader.upload(files, ids);
      await uploader.config();
      return wire;
    }, setting);
    const upload = '/messages/upload';
    assert.deepEqual(wire, ['/config', upload, upload, upload]);
    await client.testServer.assertClean({ completeUploads: 3 });
  });

  it('reads headers before each request, and once more after a 401', async () => {
    await using client = await openClientPage(browser(), {
      env: {
        AUTH: 'header',
        AUTH_USER_HEADER: 'X-User',
        TRUST_PROXY: '127.0.0.1',
        FORWARD_MAX_BYTES: '1000',
      },
    });
    const seen = await client.page.evaluate(async ({ endpoint, ids }) => {
      let calls = 0;
      const wire: string[] = [];
      const uploader = window.client.createUploader({
        endpoint,
        // The token in use ends now and then.
        headers: async () => ({ 'X-User': ++calls % 2 === 0 ? '' : 'u1' }),
        onRequest: ({ endedAtMs, url, status, target }) =>
          endedAtMs && target === 'server' && wire.push(`${url.slice(endpoint.length)} ${status}`),
      });
      const { mode } = await uploader.upload(window.textFile('a.txt', 2000), ids);
      return { calls, wire, mode };
    }, client.setting);
    const [initiate, complete] = ['/messages/upload/initiate', '/messages/upload/complete'];
    assert.deepEqual(seen, {
      calls: 5,
      wire: ['/config 200', `${initiate} 401`, `${initiate} 200`, `${complete} 401`, `${complete} 200`],
      mode: 'direct',
    });
    const puts = client.testServer.sandbox.requests.filter(({ service }) => service === 'storage');
    assert(
      puts.every(({ headers }) => headers['x-user'] === undefined),
      'storage gets nothing',
    );
  });

  it('recovers when the server restarts in the middle', async () => {
    await using client = await openClientPage(browser(), { sandbox: { readBytesPerSecond: 2_000_000 } });
    const { page, testServer, setting } = client;
    const started = testServer.sandbox.waitFor((all) => all.some(({ bodyBytes }) => bodyBytes > 0));
    const uploading = page.evaluate(uploadText, {
      setting,
      bytes: 4_000_000,
      options: { retryDelayMs: 200 },
    });
    await started;
    const { port, hostname } = new URL(testServer.url);
    await testServer.server[Symbol.asyncDispose]();
    await using again = await createTestServer({
      upstream: testServer.sandbox,
      env: {
        HOST: hostname,
        PORT: port,
        ALLOWED_ORIGINS: (await page.evaluate('location.origin')) as string,
      },
    });
    const seen = await uploading;
    assert.equal(seen.result?.mode, 'forward', JSON.stringify(seen.error));
    assert.equal((await (await fetch(seen.result.url)).bytes()).length, 4_000_000);
    assert.equal(seen.waits[0], 'NETWORK');
    await settled(() => again.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('does not blame the network for a file that has changed', async () => {
    await using client = await openClientPage(browser());
    const { page, setting } = client;
    const code = await page.evaluate(async ({ endpoint, ids }) => {
      const file = window.textFile('a.txt', 1000);
      // As a file is whose content on the disk is no longer what was chosen.
      Object.defineProperty(file, 'slice', {
        value: () => ({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) }),
      });
      let calls = 0;
      const headers = () => (++calls > 1 ? Promise.reject(new Error('lost')) : {});
      const uploader = window.client.createUploader({ endpoint, headers, retries: 0 });
      return uploader.upload(file, ids).catch((error) => error.code);
    }, setting);
    assert.equal(code, 'UNREADABLE');
  });
});
