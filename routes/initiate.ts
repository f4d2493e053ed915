import type { NextFunction, Request, Response, Router } from 'express';
import { clientOf } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AddPrefix, ReadPrefix } from '../middleware/forwarded.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import { isForm } from '../middleware/multipart/boundary.ts';
import { createMultipartReader } from '../middleware/multipart/multipart.ts';
import { createUploadSlot } from '../middleware/upload-slot.ts';
import type { AppContext } from '../server/context.ts';
import { toDelivery } from '../server/delivery/assess.ts';
import { appError, toAppError } from '../server/errors/app-error.ts';
import { languageOf, sendError } from '../server/errors/response.ts';
import { logFieldsOf } from '../server/http/log-fields.ts';
import { canRespond, disconnectSignal, onResponseEnd } from '../server/http/response-end.ts';
import type { InitiateResponse } from '../server/uploads/direct.ts';
import { FILE_FIELD, INITIATE_FIELD_NAMES, parseUploadFields } from '../server/uploads/fields.ts';
import { InitiateForm, initiateUpload } from '../server/uploads/initiate.ts';

/** `POST /messages/upload/initiate`: a signed URL for a file that is described, or whose leading bytes are sent. */
export function addInitiate(
  router: Router,
  context: Pick<AppContext, 'slots' | 'uploads' | 'idempotency'>,
  readPrefix: ReadPrefix,
): void {
  const { uploads, idempotency } = context;
  const idempotentRequestOf = (req: Request) => idempotency.requestOf(req, clientOf(req).id, 'initiate');
  const reader = createMultipartReader({
    fileField: FILE_FIELD,
    fieldNames: INITIATE_FIELD_NAMES,
    isFileRequired: false,
    maxFiles: 1,
  });
  const takeSlot = createUploadSlot(context); // leading bytes take memory, as an upload does
  const readJson = createJsonBody();

  const initiateByContent = (req: Request, res: Response): void => {
    const boundary = reader.boundaryOf(req);
    const addPrefix = readPrefix(req);
    const form = new InitiateForm(uploads, {
      client: clientOf(req),
      log: logFieldsOf(req),
      idempotent: idempotentRequestOf(req),
    });
    onResponseEnd(res, () => form.fail(appError('UPSTREAM_ABORTED')));
    form.response
      .then((response) => {
        if (canRespond(res)) send(req, res, response, addPrefix);
      })
      .catch((error) => sendError(req, res, toAppError(error)));
    reader.read(req, res, boundary, form);
  };
  const initiateByDescription = async (req: Request, res: Response): Promise<void> => {
    const fields = parseUploadFields(req.body as Record<string, unknown>, uploads.attachmentUrlOrigins);
    const request = {
      client: clientOf(req),
      fields,
      leading: null,
      log: logFieldsOf(req),
      idempotent: idempotentRequestOf(req),
    };
    const addPrefix = readPrefix(req);
    send(req, res, await initiateUpload(uploads, request, disconnectSignal(res)), addPrefix);
  };
  const path = '/messages/upload/initiate';
  router.post(path, forForms, takeSlot, initiateByContent);
  router.route(path).post(readJson, initiateByDescription).all(createMethodNotAllowed('POST'));
}

function send(req: Request, res: Response, response: InitiateResponse, addPrefix: AddPrefix): void {
  res.json({ ...addPrefix(response), delivery: toDelivery(response.delivery, languageOf(req)) });
}

/** Passes anything but a form on to the next route. */
function forForms(req: Request, _res: Response, next: NextFunction): void {
  next(isForm(req.headers['content-type']) ? undefined : 'route');
}
