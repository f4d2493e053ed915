import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a request is answered with; JSON. */
export interface FakeAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** An upstream that answers whatever a test wants, for what the sandbox would never say. */
export interface FakeLeadway extends AsyncDisposable {
  readonly url: string;
  /** Method and path of what came, in order. */
  readonly calls: string[];
}

/** Listens on a free port of the loopback address. */
export async function createFakeLeadway(answer: (path: string) => FakeAnswer): Promise<FakeLeadway> {
  const calls: string[] = [];
  const server = createServer((req, res) => {
    calls.push(`${req.method} ${req.url}`);
    req.resume().once('end', () => {
      const { status, json } = answer(req.url ?? '');
      res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
