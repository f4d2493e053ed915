import type { FileStore } from './file-store.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { RequestDeps } from './request-context.ts';
import type { UrlSigner } from './signed-url.ts';

/** A direct upload between its initiate and its complete. */
export interface DirectUpload {
  uploadId: string;
  filePath: string;
  locationId: string;
  conversationId: string;
  filename: string;
  maxFileSize: number;
}

/** What both stand-ins share. */
export interface SandboxState extends RequestDeps {
  files: FileStore;
  limiter: RateLimiter;
  signer: UrlSigner;
  /** Location id to the token that is valid now. */
  tokens: Map<string, string>;
  /** Direct uploads by file path. */
  uploads: Map<string, DirectUpload>;
  /** Origin of the storage stand-in, known once it listens. */
  storageOrigin: string;
}

/** The one bucket there is. */
export const BUCKET = 'sandbox-conversations-assets';

/** Where a stored file can be viewed. */
export function publicUrl(state: SandboxState, filePath: string): string {
  return `${state.storageOrigin}/files/${filePath}`;
}
