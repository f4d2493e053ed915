import { createDecipheriv, createHash } from 'node:crypto';
import { z } from 'zod';
import { ID_PATTERN } from '../config/parsers.ts';

/** The signed-in user of the CRM, as a custom page gets it. */
export interface SsoUser {
  readonly userId: string;
  readonly companyId: string;
  readonly role: string;
  readonly type: string;
  /** The location that the page is open in. */
  readonly activeLocation: string;
  /** Tells one handed-over context from another; the same however its base64 is written. */
  readonly digest: string;
}

const id = z.string().regex(ID_PATTERN);
const user = z.object({
  userId: id,
  companyId: id,
  role: z.string().max(64).default(''),
  type: z.string().max(64).default(''),
  activeLocation: id,
});

const MAX_PAYLOAD_CHARACTERS = 8 * 1024;
const SALTED = Buffer.from('Salted__');

/**
 * Decrypts the user context that the CRM hands to a custom page: base64 of `Salted__`, eight bytes of salt and
 * AES-256-CBC, with key and IV by OpenSSL's EVP_BytesToKey (MD5, one round) from the app's shared secret. Null for
 * everything that is not the context of a user in a location.
 *
 * There is no MAC: a wrong secret may decrypt to something, and an attacker who has a context can flip bits in one block by
 * randomizing the block before it. Random bytes are valid UTF-8 without control characters about once in several
 * hundred thousand times, so we require exactly that; failures are counted by the route.
 */
export function decryptSsoPayload(payload: string, sharedSecret: string): SsoUser | null {
  if (payload.length > MAX_PAYLOAD_CHARACTERS) return null;
  const bytes = Buffer.from(payload, 'base64');
  // Other spellings of the same bytes would pass for another context.
  if (bytes.toString('base64') !== payload) return null;
  if (!bytes.subarray(0, SALTED.length).equals(SALTED)) return null;
  const { key, iv } = deriveKey(Buffer.from(sharedSecret), bytes.subarray(8, 16));
  try {
    const decipher = createDecipheriv('aes-256-cbc', key, iv);
    const plain = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]);
    const parsed = user.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)));
    if (!parsed.success) return null;
    return { ...parsed.data, digest: createHash('sha256').update(bytes).digest('base64url') };
  } catch {
    return null;
  }
}

/** EVP_BytesToKey with MD5 and one round, as `openssl enc -md md5` and CryptoJS do. */
function deriveKey(secret: Buffer, salt: Buffer): { key: Buffer; iv: Buffer } {
  let material = Buffer.alloc(0);
  let block = Buffer.alloc(0);
  while (material.length < 48) {
    block = createHash('md5').update(block).update(secret).update(salt).digest();
    material = Buffer.concat([material, block]);
  }
  return { key: material.subarray(0, 32), iv: material.subarray(32, 48) };
}
