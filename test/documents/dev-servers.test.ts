import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { createServer as createVite } from 'vite';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { read } from './documents.ts';

/** Where the examples expect the server. */
const SERVER = 'http://127.0.0.1:3000';

describe('the settings of dev servers in the documents', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());

  /** The blocks of a page with that name, as modules that are imported, with `replaced` in their text. */
  async function load<T>(page: string, name: string, replaced: Record<string, string> = {}): Promise<T[]> {
    const blocks = [...read(page).matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].filter(
      ([, file]) => file === name,
    );
    await using folder = await mkdtempDisposable(join(tmpdir(), 'dev-servers-'));
    return await Promise.all(
      blocks.map(async ([, , text = ''], index) => {
        let code = text.replace(SERVER, testServer.url);
        for (const [from, to] of Object.entries(replaced)) code = code.replace(from, to);
        if (name.endsWith('.json')) return JSON.parse(code);
        const file = join(folder.path, `${index}-${name}`);
        await writeFile(file, code);
        return (await import(file)).default;
      }),
    );
  }

  /**
   * Uploads a file to the API at `api` as a page of that origin does. Browsers send no `Sec-Fetch-Site` to plain HTTP
   * at other addresses than `localhost`.
   */
  async function uploadTo(api: string, isLocalhost = false): Promise<void> {
    const form = new FormData();
    for (const [name, value] of Object.entries(testServer.fields)) form.append(name, value);
    form.append('fileAttachment', new Blob(['Hello']), 'hello.txt');
    const headers = { Origin: new URL(api).origin, ...(isLocalhost && { 'Sec-Fetch-Site': 'same-origin' }) };
    const response = await fetch(`${api}/messages/upload`, { method: 'POST', body: form, headers });
    assert.equal(response.status, 200, await response.clone().text());
    const { uploadedFiles } = (await response.json()) as { uploadedFiles: Record<string, string> };
    assert.equal(await (await fetch(String(uploadedFiles['hello.txt']))).text(), 'Hello');
  }

  /** Uploads through Vite's dev server with `proxy`, at `path`. */
  async function uploadThroughVite(
    proxy: Record<string, unknown>,
    path: string,
    isLocalhost = false,
  ): Promise<void> {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'dev-servers-'));
    const vite = await createVite({
      configFile: false,
      root: folder.path,
      logLevel: 'silent',
      server: { proxy: proxy as Record<string, string>, port: 0, host: '127.0.0.1', watch: null, ws: false },
    });
    try {
      const { httpServer } = await vite.listen();
      assert(httpServer !== null);
      const { port } = httpServer.address() as AddressInfo;
      await uploadTo(`http://127.0.0.1:${port}${path}`, isLocalhost);
    } finally {
      await vite.close();
    }
  }

  it('bring an upload through Vite in both forms; the short one from localhost only', async () => {
    type Config = { server: { proxy: Record<string, unknown> } };
    const [long, rewriting, short] = await load<Config>('docs/dev-servers.md', 'vite.config.js');
    assert(long !== undefined && rewriting !== undefined && short !== undefined);
    await uploadThroughVite(long.server.proxy, '/api');
    await uploadThroughVite(rewriting.server.proxy, '/uploads');
    await uploadThroughVite(short.server.proxy, '/api', true);
    await assert.rejects(uploadThroughVite(short.server.proxy, '/api'), /ORIGIN_NOT_ALLOWED/);
  });

  it('bring an upload through Vite as the quick start sets it up', async () => {
    const template = {
      "import react from '@vitejs/plugin-react';": 'const react = () => [];',
      "import { defineConfig } from 'vite';": 'const defineConfig = <T>(config: T) => config;',
    };
    type Config = { server: { proxy: Record<string, unknown> } };
    const [config] = await load<Config>('docs/guides/quick-start.md', 'vite.config.ts', template);
    assert(config !== undefined);
    await uploadThroughVite(config.server.proxy, '/api');
  });

  it('bring an upload through Angular’s, which is that of Vite', async () => {
    const [proxy] = await load<Record<string, unknown>>('docs/dev-servers.md', 'proxy.conf.json');
    assert(proxy !== undefined);
    await uploadThroughVite(proxy, '/api');
  });

  it('bring an upload through webpack’s, which is http-proxy-middleware', async () => {
    type Config = { devServer: { proxy: { context: string[]; target: string }[] } };
    const [config] = await load<Config>('docs/dev-servers.md', 'webpack.config.cjs');
    const app = express();
    for (const { context, ...options } of config?.devServer.proxy ?? []) {
      app.use(createProxyMiddleware({ ...options, pathFilter: context }));
    }
    const server = createServer(app);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await uploadTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api`);
    server.closeAllConnections();
    server.close();
  });

  it('rewrite the paths of Next.js to those of the server', async () => {
    type Config = { rewrites: () => Promise<{ source: string; destination: string }[]> };
    for (const [page, name] of [
      ['docs/dev-servers.md', 'next.config.mjs'],
      ['docs/guides/nextjs.md', 'next.config.ts'],
    ] as const) {
      const [config] = await load<Config>(page, name);
      const [rule, ...others] = (await config?.rewrites()) ?? [];
      assert.deepEqual(others, []);
      assert.equal(rule?.source, '/api/:path*');
      await uploadTo(String(rule?.destination.replace('/:path*', '')));
    }
  });
});
