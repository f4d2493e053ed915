import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createVite } from 'vite';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { sayNotRun } from '../helpers/programs.ts';
import { type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { createSite, type Site } from '../helpers/site.ts';
import { openUploadingPage } from './browsers.ts';
import { createClients, type Upload } from './clients.ts';
import { type ClientCase, toWord, writeClientCases } from './files.ts';

/** `npm run matrix` repeats each 40 times. */
const TIMES = 5;

describe('an upload of 25 MiB that is rejected', function () {
  this.timeout(120_000);
  let folder: string;
  let sandbox: Sandbox;
  let site: Site;
  let server: ServerProcess;
  let cases: Awaited<ReturnType<typeof writeClientCases>>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leadway-bff-clients-'));
    sandbox = await createSandbox();
    site = await createSite();
    const env = { RATE_LIMIT_MAX: '100000', ALLOWED_ORIGINS: site.origin };
    server = await startServerProcess(sandbox, env);
    const { conversationId, contactId } = sandbox;
    cases = await writeClientCases(folder, { conversationId, contactId });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
    await sandbox.close();
    await rm(folder, { recursive: true });
  });

  /** Makes an upload again and again, to the server or what stands in front of it. */
  async function repeat(
    { name, query, fields, path, status, word }: ClientCase,
    upload: Upload,
    url = server.url,
  ): Promise<void> {
    for (let time = 0; time < TIMES; time += 1) {
      const response = await upload({ url: `${url}/api/messages/upload${query}`, fields, path });
      assert.equal(toWord(response), `${status} ${word}`, `${name}, time ${time + 1}`);
    }
  }

  for (const client of createClients(() => folder)) {
    it(`is read as JSON by ${client.name}`, async function () {
      const missing = client.missing();
      if (missing !== null) {
        sayNotRun(`"${this.test?.fullTitle()}" needs ${missing}`);
        this.skip();
      }
      for (const rejected of cases.rejected) await repeat(rejected, client.upload);
    });
  }

  describeInBrowsers('is read as JSON by a page', (browser) => {
    it('with fetch', async function () {
      this.timeout(120_000);
      await using page = await openUploadingPage(browser(), site);
      for (const rejected of cases.rejected) await repeat(rejected, page.upload);
    });
  });

  it('is read as JSON through a development server, and so is the 202 of a direct upload', async () => {
    const vite = await createVite({
      configFile: false,
      root: folder,
      logLevel: 'silent',
      server: { middlewareMode: true, ws: false, watch: null, proxy: { '/api': { target: server.url } } },
    });
    const front = createServer(vite.middlewares).listen(0, '127.0.0.1');
    await once(front, 'listening');
    try {
      const { port } = front.address() as AddressInfo;
      const [fetchClient] = createClients(() => folder).filter(({ name }) => name === 'fetch of Node');
      assert(fetchClient !== undefined);
      for (const item of [...cases.rejected, ...cases.accepted.filter(({ word }) => word === 'direct')]) {
        await repeat(item, fetchClient.upload, `http://127.0.0.1:${port}`);
      }
    } finally {
      front.closeAllConnections();
      front.close();
      await vite.close();
    }
  });
});
