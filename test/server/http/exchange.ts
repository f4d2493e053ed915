import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dial, type Wire } from './wire.ts';

/** One request seen from both of its ends: a bare connection, and what its own server made of it. */
export interface Exchange extends AsyncDisposable {
  readonly wire: Wire;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Sends `head`, the head of a request whose body is left to the client. An aborted request is not an error here. */
export async function openExchange(head: string): Promise<Exchange> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requested = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const wire = await dial(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, head);
  const [req, res] = await requested;
  req.on('error', () => {});
  return {
    wire,
    req,
    res,
    async [Symbol.asyncDispose]() {
      wire[Symbol.dispose]();
      server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
