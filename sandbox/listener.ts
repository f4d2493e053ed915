import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** An HTTP server that can be made to reject connections on its port, and that closes for good at once. */
export interface Listener {
  readonly port: number;
  /** Closes the port, or opens it again; {@link Listener.ready} tells when that has happened. */
  setRefusing(isRejecting: boolean): void;
  ready(): Promise<void>;
  openSockets(): number;
  close(): Promise<void>;
}

/** Longer than a client keeps a connection idle, as the real services'. */
const KEEP_ALIVE_MS = 60_000;

/** Opens a listener; `onGone` is called for every connection that has ended. */
export async function openListener(
  host: string,
  port: number,
  handle: RequestListener,
  onGone: () => void,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  // A slow upload is the tester's wish: Node's own limit for a whole request stays out of it.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      onGone();
    });
  });

  const listen = (onPort: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: onPort }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(port);
  const bound = (server.address() as AddressInfo).port;

  let isClosed = false;
  let wanted = true;
  let settling = Promise.resolve();
  const settle = () => {
    settling = settling.then(async () => {
      if (isClosed || server.listening === wanted) return;
      if (wanted) await listen(bound);
      else server.close();
    });
  };

  return {
    port: bound,
    setRefusing(isRejecting) {
      wanted = !isRejecting;
      settle();
    },
    ready: () => settling,
    openSockets: () => sockets.size,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await settling.catch(() => {});
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const gone = [...sockets].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      );
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...gone]);
    },
  };
}
