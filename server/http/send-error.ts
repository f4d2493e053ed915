import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppError } from '../errors/app-error.ts';
import { toErrorResponse } from '../errors/error-response.ts';
import { languageOf } from './language-of.ts';
import { addLogFields } from './log-fields.ts';
import { requestIdOf } from './request-id.ts';
import { canRespond } from './response-end.ts';

/**
 * Responses `req` with `error`, unless a response has already begun: the first outcome of a request stands.
 * The connection stays open, so that a client who is still sending reads the response and not a reset.
 */
export function sendError(req: IncomingMessage, res: ServerResponse, error: AppError): void {
  if (!canRespond(res)) return;
  addLogFields(req, { error });
  const { status, headers, body } = toErrorResponse(error, requestIdOf(req), languageOf(req));
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.end(req.method === 'HEAD' ? undefined : body);
}
