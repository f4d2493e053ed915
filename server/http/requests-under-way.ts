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
  /**
   * Responses that are not over; several when requests are pipelined. No Set: what is added to and deleted from one
   * again and again lives on through the tables that it grew out of, until a full collection.
   */
  readonly open: ServerResponse[];
}

/** Where a socket keeps what it has under way. */
const CONNECTION = Symbol('requests under way');

type WithConnection = Socket & { [CONNECTION]?: Connection };

/** What each connection has under way: Node tells of a parser's error without saying whose bytes it met. */
export class RequestsUnderWay {
  /** Begins to follow a request. */
  add(req: IncomingMessage, res: ServerResponse): void {
    const socket: WithConnection = req.socket;
    socket[CONNECTION] ??= { latest: { req, res }, open: [] };
    const connection = socket[CONNECTION];
    connection.latest = { req, res };
    connection.open.push(res);
    res.once('close', () => connection.open.splice(connection.open.indexOf(res), 1));
  }

  /** The request of `socket` whose body has not come to its end; null when there is none. */
  incomplete(socket: WithConnection): Exchange | null {
    const latest = socket[CONNECTION]?.latest;
    return latest === undefined || latest.req.complete ? null : latest;
  }

  /** Resolves when every request of `socket` so far has had its answer. */
  async answered(socket: WithConnection): Promise<void> {
    const open = socket[CONNECTION]?.open ?? [];
    await Promise.all(open.map((res) => new Promise((resolve) => res.once('close', resolve))));
  }
}
