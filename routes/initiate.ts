import { type NextFunction, type Request, type Response, Router } from 'express';
import { callerOf } from '../middleware/caller.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import { createMultipartReader } from '../middleware/multipart/multipart.ts';
import { createUploadSlot } from '../middleware/upload-slot.ts';
import type { AppContext } from '../server/context.ts';
import { type AppError, appError } from '../server/errors/app-error.ts';
import { whenCallerLeaves } from '../server/http/caller-leaves.ts';
import { noteOutcome } from '../server/http/outcome.ts';
import { sendError } from '../server/http/send-error.ts';
import { sendJson } from '../server/http/send-json.ts';
import { FILE_FIELD } from '../server/uploads/forward-carrier.ts';
import { HeadForm } from '../server/uploads/head-form.ts';
import { initiateUpload } from '../server/uploads/initiate-upload.ts';
import { INITIATE_FIELD_NAMES, parseUploadFields } from '../server/uploads/upload-fields.ts';

/** `POST /messages/upload/initiate`: a signed URL for a file that is described, or of which the head is sent. */
export function createInitiateRouter(context: Pick<AppContext, 'slots' | 'uploads'>): Router {
  const { uploads } = context;
  const reader = createMultipartReader({
    fileField: FILE_FIELD,
    fieldNames: INITIATE_FIELD_NAMES,
    maxFiles: 1,
  });
  const router = Router();

  router.post(
    '/messages/upload/initiate',
    (req: Request, _res: Response, next: NextFunction) =>
      next(req.is('multipart/form-data') ? null : 'route'),
    createUploadSlot(context), // what is kept of a head takes memory, as an upload does
    (req: Request, res: Response) => {
      const boundary = reader.boundaryOf(req);
      const form = new HeadForm(uploads, callerOf(req));
      res.once('close', () => form.fail(appError('UPSTREAM_ABORTED')));
      form.answer.then(
        (answer) => {
          noteOutcome(req, { mode: 'direct', contentType: answer.contentType });
          if (!res.headersSent && !res.destroyed) sendJson(res, 200, answer);
        },
        (error: AppError) => sendError(req, res, error),
      );
      reader.read(req, res, boundary, form);
    },
  );
  router.post('/messages/upload/initiate', createJsonBody(), async (req: Request, res: Response) => {
    const fields = parseUploadFields(req.body as Record<string, unknown>, uploads.attachmentUrlOrigins);
    const answer = await initiateUpload(uploads, callerOf(req), fields, null, whenCallerLeaves(res));
    noteOutcome(req, { mode: 'direct', contentType: answer.contentType });
    sendJson(res, 200, answer);
  });
  router.all('/messages/upload/initiate', createMethodNotAllowed('POST'));
  return router;
}
