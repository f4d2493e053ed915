import { directUnavailable } from '../../errors/factories.ts';
import type { Sink } from './sink.ts';

/** Drops the bytes: only the fields and the leading bytes are needed for a signed URL. */
export const discardSink: Sink = {
  kind: 'discard',
  begin: () => undefined,
  write: () => undefined,
  end: () => undefined,
  finish: () => Promise.reject(directUnavailable()),
  destroy() {},
};
