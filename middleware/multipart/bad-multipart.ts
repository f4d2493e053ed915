import { type AppError, appError } from '../../server/errors/app-error.ts';
import type { MessageKey, MessageParams } from '../../server/errors/messages.ts';

type FaultOf<Key> = Key extends `BAD_MULTIPART.${infer Fault}` ? Fault : never;

/** What can be wrong with a form. Each has its own message. */
export type MultipartFault = FaultOf<MessageKey>;

/** The error for a form that parsers read in different ways, or that exceeds a limit. */
export function badMultipart(fault: MultipartFault, params: MessageParams = {}): AppError {
  return appError('BAD_MULTIPART', {
    message: `BAD_MULTIPART.${fault}`,
    params,
    details: { reason: fault, ...params },
  });
}
