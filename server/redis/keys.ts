import { createHash } from 'node:crypto';

/** Before every key of ours, since a Redis may be shared with other programs. */
export const KEY_PREFIX = 'leadway-bff:';

/**
 * `id` as part of a key. Ids of clients come from the world: of any length, in any script, perhaps an e-mail
 * address or what a cluster would take for a hash tag. A digest is short, plain and tells nobody who it is.
 */
export function toKeyPart(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
