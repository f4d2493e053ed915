import type { Client } from '../auth/authenticator.ts';
import type { UploadHooks } from '../embedding.ts';
import type { TypePolicy } from '../file-types/file-types.ts';
import type { LeadwayClient } from '../leadway/leadway-client.ts';
import type { UpstreamQuota } from '../leadway/quota.ts';
import type { DirectUploads } from './direct-uploads.ts';
import type { LocationRule } from './locations.ts';

/** What uploads are made with; the same for every upload of the process. */
export interface UploadContext {
  readonly leadway: LeadwayClient;
  readonly direct: DirectUploads;
  readonly policy: TypePolicy;
  /** The locations that a client may use. */
  locationsFor(client: Client): LocationRule;
  readonly quota: UpstreamQuota;
  readonly forward: {
    readonly maxBytes: number;
    readonly holdBytes: number;
    readonly fallbackMaxBytes: number;
  };
  readonly maxFiles: number;
  readonly defaultChannel: string;
  readonly attachmentUrlOrigins: readonly string[];
  readonly hooks: UploadHooks;
}
