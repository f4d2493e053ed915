import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The response to a request. */
export interface FakeAnswer {
  readonly status: number;
  /** The body, unless there is `body`. */
  readonly json?: unknown;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An upstream that answers whatever a test wants, for what the sandbox would never say. */
export interface FakeLeadway extends AsyncDisposable {
  readonly url: string;
  /** Method and path of what came, in order. */
  readonly calls: string[];
  /** The headers of each call. */
  readonly headers: IncomingHttpHeaders[];
}

/** Listens on a free port of the loopback address. */
export async function createFakeLeadway(
  answer: (path: string, req: IncomingMessage) => FakeAnswer,
): Promise<FakeLeadway> {
  const calls: string[] = [];
  const headersOfCalls: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    calls.push(`${req.method} ${req.url}`);
    headersOfCalls.push(req.headers);
    req.resume().once('end', () => {
      const { status, json, body = JSON.stringify(json), headers } = answer(req.url ?? '', req);
      res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    headers: headersOfCalls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
