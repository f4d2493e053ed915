import type { Client } from '../auth/authenticator.ts';
import { appError } from '../errors/app-error.ts';
import type { Ticket, TicketBox, TicketUse } from './tickets.ts';
import type { UploadContext } from './upload-context.ts';

/**
 * The ticket that `client` presents. It holds no longer than the right to its location: a client whose rights
 * changed, or whose session is now in another location, has no use of it.
 *
 * @throws AppError `TICKET_INVALID`, `TICKET_EXPIRED`
 */
export async function openPresentedTicket(
  {
    tickets,
    uploads,
  }: { readonly tickets: TicketBox; readonly uploads: Pick<UploadContext, 'locationsFor'> },
  client: Client,
  sealed: string,
  use: TicketUse,
): Promise<Ticket> {
  const ticket = await tickets.open(sealed, client.id, use);
  if (!uploads.locationsFor(client).isAllowed(ticket.locationId)) throw appError('TICKET_INVALID');
  return ticket;
}
