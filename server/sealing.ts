import { createHash, hkdfSync } from 'node:crypto';
import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose';

/** Turns claims into an opaque string that only this program can open, and back. */
export interface Sealer {
  seal(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** The claims in `sealed`; null when it is not ours, was changed, or was sealed for something else. */
  open(sealed: string): Promise<JWTPayload | null>;
}

const MAX_CHARACTERS = 16 * 1024;

/**
 * Seals with JWE (RFC 7516), a direct AES-256-GCM key. The first of `secrets` seals, all of them open, so
 * that a secret can be rotated while what it sealed is still out.
 *
 * @param type What is sealed; something sealed under one type does not open under another, even with the
 *   same secrets.
 */
export function createSealer(type: string, secrets: readonly string[]): Sealer {
  const keys = secrets.map((secret) => toKey(type, secret));
  const [sealing] = keys;
  if (sealing === undefined) throw new TypeError('sealing needs a secret');
  const keyById = new Map(keys.map((key) => [key.id, key.bytes]));
  const keyOf = ({ kid }: { kid?: string }): Uint8Array => {
    const key = keyById.get(kid ?? '');
    if (key === undefined) throw new errors.JWEDecryptionFailed();
    return key;
  };

  return {
    seal(claims) {
      return new EncryptJWT({ ...claims })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: sealing.id, typ: type })
        .encrypt(sealing.bytes);
    },
    async open(sealed) {
      if (sealed.length > MAX_CHARACTERS || !isCanonical(sealed)) return null;
      try {
        const { payload } = await jwtDecrypt(sealed, keyOf, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          typ: type,
        });
        return payload;
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
}

function toKey(type: string, secret: string): { id: string; bytes: Uint8Array } {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', `leadway-bff ${type}`, 32));
  return { id: createHash('sha256').update(bytes).digest('base64url').slice(0, 8), bytes };
}

/** Base64url readers overlook stray bits at the end; what was changed only there would still open. */
function isCanonical(sealed: string): boolean {
  return sealed.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
