import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A request and its response. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

interface Connection {
  /** The request that came last; its body may still be coming after its answer. */
  latest: Exchange;
  /** Responses that are not over; several when requests are pipelined. */
  readonly open: Set<ServerResponse>;
}

/** What each connection has under way: Node tells of a parser's error without saying whose bytes it met. */
export class RequestsUnderWay {
  readonly #connections = new WeakMap<Socket, Connection>();

  /** Begins to follow a request. */
  add(req: IncomingMessage, res: ServerResponse): void {
    const connection = this.#connections.get(req.socket) ?? { latest: { req, res }, open: new Set() };
    this.#connections.set(req.socket, connection);
    connection.latest = { req, res };
    connection.open.add(res);
    res.once('close', () => connection.open.delete(res));
  }

  /** The request of `socket` whose body has not come to its end; null when there is none. */
  incomplete(socket: Socket): Exchange | null {
    const latest = this.#connections.get(socket)?.latest;
    return latest === undefined || latest.req.complete ? null : latest;
  }

  /** Resolves when every request of `socket` so far has had its answer. */
  async answered(socket: Socket): Promise<void> {
    const open = this.#connections.get(socket)?.open ?? [];
    await Promise.all([...open].map((res) => new Promise((resolve) => res.once('close', resolve))));
  }
}
