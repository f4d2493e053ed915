import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** What is sealed: anything that JSON can say. */
export type Claims = Readonly<Record<string, unknown>>;

/** Turns claims into an opaque string that only this program can open, and back. */
export interface Sealer {
  seal(claims: Claims): string;
  /** The claims in `sealed`; null when it is not ours, was changed, or was sealed for something else. */
  open(sealed: string): Claims | null;
}

const MAX_CHARACTERS = 16 * 1024;
/** Sizes of RFC 7518, section 5.3, in bytes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const CIPHER = 'aes-256-gcm';
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES };

/** A key, and the header of all that it seals. */
interface SealingKey {
  readonly header: string;
  readonly key: KeyObject;
}

/**
 * Seals with JWE in its compact form (RFC 7516) and a direct AES-256-GCM key. The first of `secrets` seals, all
 * of them open, so that a secret can be rotated while what it sealed is still out.
 *
 * The header is compared, never parsed, so an attacker can't choose the algorithm.
 *
 * @param type What is sealed; something sealed under one type does not open under another, even with the
 *   same secrets.
 */
export function createSealer(type: string, secrets: readonly string[]): Sealer {
  const keys = secrets.map((secret) => toSealingKey(type, secret));
  const [sealing] = keys;
  if (sealing === undefined) throw new TypeError('sealing needs a secret');
  const keyByHeader = new Map(keys.map(({ header, key }) => [header, key]));

  return {
    seal(claims) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, sealing.key, nonce, CIPHER_OPTIONS);
      cipher.setAAD(Buffer.from(sealing.header, 'latin1'));
      const begun = cipher.update(JSON.stringify(claims), 'utf8');
      const content = Buffer.concat([begun, cipher.final()]).toString('base64url');
      const tag = cipher.getAuthTag().toString('base64url');
      return `${sealing.header}..${nonce.toString('base64url')}.${content}.${tag}`;
    },
    open(sealed) {
      if (sealed.length > MAX_CHARACTERS) return null;
      const [header = '', wrappedKey, ...rest] = sealed.split('.');
      const key = keyByHeader.get(header);
      if (key === undefined || wrappedKey !== '' || rest.length !== 3) return null;
      const [nonce, content, tag] = rest.map(decode);
      if (!nonce || !content || !tag) return null;
      if (nonce.length !== NONCE_BYTES || tag.length !== TAG_BYTES) return null;
      const decipher = createDecipheriv(CIPHER, key, nonce, CIPHER_OPTIONS);
      decipher.setAAD(Buffer.from(header, 'latin1')).setAuthTag(tag);
      const begun = decipher.update(content);
      try {
        // Throws for whatever was not sealed with this key; nothing of it has been looked at by then.
        return JSON.parse(Buffer.concat([begun, decipher.final()]).toString('utf8')) as Claims;
      } catch {
        return null;
      }
    },
  };
}

function toSealingKey(type: string, secret: string): SealingKey {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, '', `leadway-bff ${type}`, 32));
  const kid = createHash('sha256').update(bytes).digest('base64url').slice(0, 8);
  const header = { alg: 'dir', enc: 'A256GCM', kid, typ: type };
  return {
    header: Buffer.from(JSON.stringify(header)).toString('base64url'),
    key: createSecretKey(bytes),
  };
}

/** Null unless it re-encodes to the same text: decoding ignores stray bits at the end. */
function decode(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}
