import type { Client } from '../auth/authenticator.ts';
import { type Assessment, NOT_ASSESSED } from '../delivery/assess.ts';
import { appError } from '../errors/app-error.ts';
import { createSealer } from '../sealing.ts';
import { channelMaxBytes } from './mode.ts';
import type { UploadContext } from './upload.ts';

/** What a ticket seals: everything that complete and relay need, none of which the client may choose. */
export interface Ticket {
  readonly client: string;
  readonly locationId: string;
  readonly conversationId: string;
  /** Leadway does not need it; `afterUpload` gets it. */
  readonly contactId: string | null;
  readonly uploadId: string;
  readonly filePath: string;
  readonly uploadUrl: string;
  readonly filename: string;
  readonly contentType: string;
  readonly channel: string;
  /** Declared size in bytes; null when none was declared. */
  readonly fileSize: number | null;
  readonly maxFileSize: number;
  /** What was expected when the URL was issued. */
  readonly delivery: Assessment;
  /** When the signed URL ends, in Unix milliseconds. */
  readonly expiresAt: number;
}

/** The largest file that may go to storage through the server, in bytes: what Leadway and the channel both allow. */
export function maxBytesOf({ maxFileSize, channel }: Pick<Ticket, 'maxFileSize' | 'channel'>): number {
  return Math.min(maxFileSize, channelMaxBytes(channel));
}

/** What the ticket is presented for. */
export type TicketUse = 'content' | 'complete';

/** Seals and opens tickets. */
export interface TicketCodec {
  seal(ticket: Ticket): Promise<string>;
  /**
   * The ticket that `client` presents.
   *
   * @throws AppError `TICKET_INVALID` when it is not ours, was changed or belongs to another client; `TICKET_EXPIRED`
   *   after its time.
   */
  open(sealed: string, client: string, use: TicketUse): Promise<Ticket>;
}

/** How long complete accepts a ticket after its URL has expired. */
const COMPLETE_GRACE_MS = 15 * 60_000;

/** Makes a codec that seals with the first of `secrets` and opens with all of them. */
export function createTicketCodec(secrets: readonly string[], now: () => number = Date.now): TicketCodec {
  const sealer = createSealer('leadway-upload', secrets);
  return {
    seal: async (ticket) => sealer.seal({ ...ticket }),
    async open(sealed, client, use) {
      // Whatever opens was sealed here, with this shape.
      const ticket = sealer.open(sealed) as Ticket | null;
      if (ticket === null || ticket.client !== client) throw appError('TICKET_INVALID');
      const endsAt = ticket.expiresAt + (use === 'complete' ? COMPLETE_GRACE_MS : 0);
      if (now() >= endsAt) throw appError('TICKET_EXPIRED');
      // Version 0.1 sealed neither.
      return {
        ...ticket,
        contactId: ticket.contactId ?? null,
        delivery: ticket.delivery ?? NOT_ASSESSED,
      };
    },
  };
}

/**
 * Opens the ticket that `client` presents. It is valid only while the client may use its location: permissions or the
 * session's location may have changed.
 *
 * @throws AppError `TICKET_INVALID`, `TICKET_EXPIRED`
 */
export async function openPresentedTicket(
  context: { readonly tickets: TicketCodec; readonly uploads: Pick<UploadContext, 'locationsFor'> },
  client: Client,
  sealed: string,
  use: TicketUse,
): Promise<Ticket> {
  const ticket = await context.tickets.open(sealed, client.id, use);
  if (!context.uploads.locationsFor(client).isAllowed(ticket.locationId)) throw appError('TICKET_INVALID');
  return ticket;
}
