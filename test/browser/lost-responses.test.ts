import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describeInBrowsers } from '../helpers/browser.ts';
import { createSite } from '../helpers/site.ts';
import { createTestServer } from '../helpers/test-server.ts';
import { openSite } from './stage.ts';

describeInBrowsers('a response that is lost', (browser) => {
  for (const [endpoint, bytes, mode] of [
    ['upload', 20_000, 'forward'],
    ['upload', 3_000_000, 'forward'],
    ['upload', 20_000, 'relay'],
    ['initiate', 3_000_000, 'direct'],
    ['complete', 3_000_000, 'direct'],
  ] as const) {
    it(`of ${endpoint} costs no second file at Leadway: ${mode}, ${bytes} bytes`, async () => {
      await using site = await createSite();
      await using testServer = await createTestServer({ env: { ALLOWED_ORIGINS: site.origin } });
      await using lossy = await loseFirstResponse(testServer.url, new RegExp(`^POST \\S+/${endpoint}[ ?]`));
      await using stage = await openSite(browser(), site, `${lossy.url}/api`, testServer.fields);
      await stage.make({ name: 'a.txt', bytes });
      await stage.begin({ mode, channel: 'WHATSAPP' }, { retryDelayMs: 20 });
      const { url } = await stage.done();
      assert.equal((await (await fetch(url)).text()).length, bytes);
      assert(lossy.hasLost(), 'a response was lost');
      const { requests } = testServer.sandbox;
      for (const path of ['upload', 'initiate', 'complete']) {
        const seen = requests.filter((request) => request.path.endsWith(`/${path}`) && request.complete);
        assert(seen.length <= 1, `${path} came ${seen.length} times`);
      }
    });
  }
});

/** A proxy before `target` that breaks the first connection whose request fits, as soon as its response comes. */
async function loseFirstResponse(target: string, pattern: RegExp) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let hasLost = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isChosen = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      isChosen =
        pattern.test(chunk.toString('latin1')) || (isChosen && !/^(?:GET|OPTIONS) /.test(String(chunk)));
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (!isChosen || hasLost) return client.write(chunk);
      hasLost = true;
      client.destroy();
      return undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hasLost: () => hasLost,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
