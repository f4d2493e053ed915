import type { NextFunction, Request, Response, Router } from 'express';
import { clientOf } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createStorageProxy } from '../middleware/storage-proxy.ts';
import { createUploadSlot } from '../middleware/upload-slot.ts';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { letBodyCome } from '../server/http/continue.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { emptyFile } from '../server/uploads/incoming-file.ts';
import { overLimit } from '../server/uploads/mode.ts';
import { openPresentedTicket } from '../server/uploads/presented-ticket.ts';
import type { Ticket } from '../server/uploads/tickets.ts';
import { sizeMismatch } from '../server/uploads/upload-errors.ts';

/** `PUT /messages/upload/content`: relays a file to the signed URL that its ticket seals. */
export function addContent(
  router: Router,
  context: Pick<AppContext, 'agent' | 'config' | 'policy' | 'slots' | 'tickets' | 'uploads'>,
): void {
  const proxy = createStorageProxy(context);
  const relayContent = async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    const ticket = await openPresentedTicket(context, clientOf(req), requiredTicket(req), 'content');
    addLogFields(req, { mode: 'relay', locationId: ticket.locationId, contentType: ticket.contentType });
    assertFits(req, ticket);
    letBodyCome(req, res);
    await proxy(req, res, next, ticket);
  };
  router
    .route('/messages/upload/content')
    .put(createUploadSlot(context), relayContent)
    .all(createMethodNotAllowed('PUT'));
}

function requiredTicket(req: Request): string {
  const field = 'Upload-Ticket';
  const ticket = req.get(field);
  if (!ticket) throw appError('MISSING_FIELD', { params: { field }, details: { field } });
  return ticket;
}

/** Everything that can be rejected before a byte of the body has come. */
function assertFits(req: Request, { contentType, filename, fileSize, maxFileSize, channel }: Ticket): void {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw appError('UNSUPPORTED_ENCODING');
  const declared = req.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (declared !== undefined && declared !== contentType) {
    const extension = filename.split('.').at(-1) ?? '';
    throw appError('TYPE_MISMATCH', {
      message: 'TYPE_MISMATCH.ticket',
      params: { expected: contentType },
      details: { extension, declared, detected: contentType },
    });
  }
  const length = req.get('Content-Length');
  if (length === undefined) return;
  const size = Number(length);
  if (size === 0) throw emptyFile(filename);
  if (size > maxFileSize) throw overLimit(maxFileSize, channel);
  if (fileSize !== null && size !== fileSize) throw sizeMismatch(fileSize, size);
}
