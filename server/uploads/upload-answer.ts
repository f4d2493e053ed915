import type { InitiateResponse } from './direct-uploads.ts';
import type { ForwardResponse } from './forward-carrier.ts';

/** A successful outcome of an upload; `mode` is the way that its files took. */
export type UploadResponse =
  | ({ readonly mode: 'forward' | 'relay' } & ForwardResponse)
  | ({ readonly mode: 'direct' } & InitiateResponse);
