import type { Request, Response, Router } from 'express';
import { clientOf } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createUploadSlot } from '../middleware/upload-slot.ts';
import type { AppContext } from '../server/context.ts';
import { appError, toAppError } from '../server/errors/app-error.ts';
import { emptyFile, fileTooLarge, missingField, sizeMismatch } from '../server/errors/factories.ts';
import { sendError } from '../server/errors/response.ts';
import { assertNoEncoding, contentLengthOf, sendContinue } from '../server/http/body.ts';
import { logFieldsOf } from '../server/http/log-fields.ts';
import { canRespond, onResponseEnd } from '../server/http/response-end.ts';
import { ContentUpload } from '../server/uploads/content.ts';
import { maxBytesOf, openPresentedTicket, type Ticket } from '../server/uploads/tickets.ts';

/** `PUT /messages/upload/content`: relays a file to the signed URL that its ticket seals. */
export function addContent(router: Router, context: Pick<AppContext, 'slots' | 'tickets' | 'uploads'>): void {
  const relayContent = async (req: Request, res: Response): Promise<void> => {
    const ticket = await openPresentedTicket(context, clientOf(req), requiredTicket(req), 'content');
    const log = logFieldsOf(req);
    Object.assign(log, { mode: 'relay', locationId: ticket.locationId, contentType: ticket.contentType });
    const length = contentLengthOf(req);
    assertFits(req, length, ticket);
    const upload = new ContentUpload(context.uploads, ticket, length, log);
    // When the response ends (client disconnect, timeout), the upload ends too.
    onResponseEnd(res, () => upload.fail(appError('UPSTREAM_ABORTED')));
    upload.stored
      .then(() => {
        if (canRespond(res)) res.status(204).end();
      })
      .catch((error) => sendError(req, res, toAppError(error)));
    sendContinue(req, res);
    upload.receive(req);
  };
  router
    .route('/messages/upload/content')
    .put(createUploadSlot(context), relayContent)
    .all(createMethodNotAllowed('PUT'));
}

function requiredTicket(req: Request): string {
  const field = 'Upload-Ticket';
  const ticket = req.get(field);
  if (!ticket) throw missingField(field);
  return ticket;
}

/** Everything that can be rejected before the body arrives. */
function assertFits(req: Request, size: number | null, ticket: Ticket): void {
  const { contentType, filename, fileSize } = ticket;
  assertNoEncoding(req);
  const declared = req.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (declared !== undefined && declared !== contentType) {
    const extension = filename.split('.').at(-1) ?? '';
    throw appError('TYPE_MISMATCH', {
      message: 'TYPE_MISMATCH.ticket',
      params: { expected: contentType },
      details: { extension, declared, detected: contentType },
    });
  }
  if (size === null) return;
  if (size === 0) throw emptyFile(filename);
  const limit = maxBytesOf(ticket);
  if (size > limit) throw fileTooLarge(limit, ticket.channel);
  if (fileSize !== null && size !== fileSize) throw sizeMismatch(fileSize, size);
}
