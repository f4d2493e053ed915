import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web server of a few files, by path: the origin that a page comes from. */
export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly files: Map<string, readonly [type: string, body: string]>;
}

/**
 * Starts a site on a free port; `host` is what browsers call it. `127.0.0.1` (default) is the same site as a
 * test server though another origin; `localhost` is another site.
 */
export async function createSite(host: '127.0.0.1' | 'localhost' = '127.0.0.1'): Promise<Site> {
  const files = new Map<string, readonly [string, string]>();
  const server = createServer(({ url = '/' }, res) => {
    const [type, body] = files.get(url.replace(/\?.*/, '')) ?? [];
    res.writeHead(type === undefined ? 404 : 200, {
      'Content-Type': `${type ?? 'text/plain'}; charset=utf-8`,
    });
    res.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${port}`,
    files,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
