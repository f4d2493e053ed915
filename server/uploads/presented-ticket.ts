import type { Caller } from '../callers/caller.ts';
import { appError } from '../errors/app-error.ts';
import type { Ticket, TicketBox, TicketUse } from './tickets.ts';
import type { UploadContext } from './upload-context.ts';

/**
 * The ticket that `caller` presents. It holds no longer than the right to its location: a caller whose rights
 * changed, or whose session is now in another location, has no use of it.
 *
 * @throws AppError `TICKET_INVALID`, `TICKET_EXPIRED`
 */
export async function openPresentedTicket(
  {
    tickets,
    uploads,
  }: { readonly tickets: TicketBox; readonly uploads: Pick<UploadContext, 'locationsFor'> },
  caller: Caller,
  sealed: string,
  use: TicketUse,
): Promise<Ticket> {
  const ticket = await tickets.open(sealed, caller.id, use);
  if (!uploads.locationsFor(caller).isAllowed(ticket.locationId)) throw appError('TICKET_INVALID');
  return ticket;
}
