import type { Request, Response, Router } from 'express';
import { logLateOutcome } from '../middleware/access-log.ts';
import { clientOf } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import type { AppContext } from '../server/context.ts';
import { toDelivery } from '../server/delivery/assess.ts';
import { toUser } from '../server/embedding.ts';
import { appError } from '../server/errors/app-error.ts';
import { invalidField, missingField } from '../server/errors/factories.ts';
import { languageOf } from '../server/errors/response.ts';
import { addLogFields, logFieldsOf } from '../server/http/log-fields.ts';
import { mayRunOn } from '../server/http/pipelining.ts';
import { addRequestWork, canRespond, disconnectSignal } from '../server/http/response-end.ts';
import { runIdempotently } from '../server/idempotency/idempotency.ts';
import { openPresentedTicket, type Ticket } from '../server/uploads/tickets.ts';

/** The fields of Leadway's own complete call: a client may repeat them, but they must match the ticket. */
const REPEATABLE = ['uploadId', 'filePath', 'locationId', 'conversationId', 'filename'] as const;

/** `POST /messages/upload/complete`: turns a file in storage into an attachment with a public URL. */
export function addComplete(
  router: Router,
  context: Pick<AppContext, 'direct' | 'tickets' | 'uploads' | 'idempotency' | 'logger'>,
): void {
  const complete = async (req: Request, res: Response): Promise<void> => {
    addLogFields(req, { mode: 'direct' });
    const body = req.body as Readonly<Record<string, unknown>>;
    const sealed = requiredTicket(body['ticket']);
    const ticket = await openPresentedTicket(context, clientOf(req), sealed, 'complete');
    addLogFields(req, { locationId: ticket.locationId, contentType: ticket.contentType });
    assertMatches(body, ticket);
    const idempotent = context.idempotency.requestOf(req, clientOf(req).id, 'complete');
    const signal = disconnectSignal(res);
    const ended = new AbortController();
    if (signal.aborted) ended.abort();
    signal.addEventListener('abort', () => {
      if (mayRunOn(req.socket, idempotent !== null)) logLateOutcome(context, req, completing);
      else ended.abort();
    });
    const { locationId } = ticket;
    const log = logFieldsOf(req);
    const completing = runIdempotently(
      idempotent,
      { locationId, describe: () => ticket, isCommit: true, signal, log },
      () => context.direct.complete(ticket, ended.signal, log),
    );
    addRequestWork(res, completing);
    const completed = await completing;
    if (canRespond(res)) {
      res.json({ ...completed, delivery: toDelivery(ticket.delivery, languageOf(req)) });
    }
    if (log.isRepeat) return;
    const { conversationId, contactId, filename: name, contentType, fileSize } = ticket;
    context.uploads.hooks.after({
      user: toUser(clientOf(req)),
      locationId,
      conversationId,
      contactId,
      mode: 'direct',
      files: Object.values(completed.uploadedFiles).map((url) => {
        return { name, contentType, size: completed.metadata.size ?? fileSize, url };
      }),
    });
  };
  router
    .route('/messages/upload/complete')
    .post(createJsonBody(), complete)
    .all(createMethodNotAllowed('POST'));
}

function requiredTicket(value: unknown): string {
  if (value === undefined || value === null || value === '') throw missingField('ticket');
  if (typeof value !== 'string') throw appError('TICKET_INVALID');
  return value;
}

function assertMatches(body: Readonly<Record<string, unknown>>, ticket: Ticket): void {
  for (const field of REPEATABLE) {
    const given = body[field];
    if (given === undefined || given === null || given === '' || given === ticket[field]) continue;
    throw invalidField(field, 'contradiction');
  }
}
