import type { InitiateAnswer } from './direct-uploads.ts';
import type { ForwardAnswer } from './forward-carrier.ts';

/** A successful outcome of an upload; `mode` is the way that its files took. */
export type UploadAnswer =
  | ({ readonly mode: 'forward' | 'relay' } & ForwardAnswer)
  | ({ readonly mode: 'direct' } & InitiateAnswer);
