import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';

/**
 * Makes what stands for a user in the log: the same user has the same hash on every replica with the same secret,
 * and without the secret nobody can find out whose it is by trying ids.
 */
export function createUserHash(secret: string): (userId: string) => string {
  const key = createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', 'leadway-bff user hash', 32)));
  const known = new Map<string, string>();
  return (userId) => {
    const hash = known.get(userId) ?? createHmac('sha256', key).update(userId).digest('hex').slice(0, 12);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(userId, hash);
    return hash;
  };
}

/** Users whose hashes are kept; a hash costs 3 % of a small upload. */
const MAX_KNOWN = 1_000;
