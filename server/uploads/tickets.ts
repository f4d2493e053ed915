import { appError } from '../errors/app-error.ts';
import { createSealer } from '../sealing.ts';

/** What a ticket seals: everything that complete and relay need, none of which the client may choose. */
export interface Ticket {
  readonly client: string;
  readonly locationId: string;
  readonly conversationId: string;
  readonly uploadId: string;
  readonly filePath: string;
  readonly uploadUrl: string;
  readonly filename: string;
  readonly contentType: string;
  readonly channel: string;
  /** Declared size in bytes; null when none was declared. */
  readonly fileSize: number | null;
  readonly maxFileSize: number;
  /** When the signed URL ends, in Unix milliseconds. */
  readonly expiresAt: number;
}

/** What the ticket is presented for. */
export type TicketUse = 'content' | 'complete';

/** Seals and opens tickets. */
export interface TicketBox {
  seal(ticket: Ticket): Promise<string>;
  /**
   * The ticket that `client` presents.
   *
   * @throws AppError `TICKET_INVALID` when it is not ours, was changed or is another client's;
   *   `TICKET_EXPIRED` when its time is over.
   */
  open(sealed: string, client: string, use: TicketUse): Promise<Ticket>;
}

/** Complete still takes a ticket for as long as one URL lives after the URL has ended. */
const COMPLETE_GRACE_MS = 15 * 60_000;

/** Tickets sealed with the first of `secrets`; all of them open. */
export function createTicketBox(secrets: readonly string[], now: () => number = Date.now): TicketBox {
  const sealer = createSealer('leadway-upload', secrets);
  return {
    seal: async (ticket) => sealer.seal({ ...ticket }),
    async open(sealed, client, use) {
      // What opens was sealed by us with this very shape.
      const ticket = sealer.open(sealed) as Ticket | null;
      if (ticket === null || ticket.client !== client) throw appError('TICKET_INVALID');
      const endsAt = ticket.expiresAt + (use === 'complete' ? COMPLETE_GRACE_MS : 0);
      if (now() >= endsAt) throw appError('TICKET_EXPIRED');
      return ticket;
    },
  };
}
