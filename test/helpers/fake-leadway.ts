import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './certificates.ts';

/** The response to a request. */
export interface FakeResponse {
  readonly status: number;
  /** The body, unless there is `body`. */
  readonly json?: unknown;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An upstream that responds whatever a test wants, for what the sandbox would never say. */
export interface FakeLeadway extends AsyncDisposable {
  readonly url: string;
  /** Method and path of what came, in order. */
  readonly calls: string[];
  /** The headers of each call. */
  readonly headers: IncomingHttpHeaders[];
}

/**
 * Listens on a free port of the loopback address.
 *
 * @param certificate Makes it speak TLS, as `https://localhost:…`.
 */
export async function createFakeLeadway(
  response: (path: string, req: IncomingMessage) => FakeResponse,
  certificate: Certificate | null = null,
): Promise<FakeLeadway> {
  const calls: string[] = [];
  const headersOfCalls: IncomingHttpHeaders[] = [];
  const listener: RequestListener = (req, res) => {
    calls.push(`${req.method} ${req.url}`);
    headersOfCalls.push(req.headers);
    req.resume().once('end', () => {
      const { status, json, body = JSON.stringify(json), headers } = response(req.url ?? '', req);
      res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    });
  };
  const server = certificate === null ? createServer(listener) : createSecureServer(certificate, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: certificate === null ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    calls,
    headers: headersOfCalls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
