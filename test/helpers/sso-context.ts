import { createCipheriv, createHash, randomBytes } from 'node:crypto';

export const SHARED_SECRET = 'shared-secret-of-the-app-0123456789';
export const SESSION_SECRET = 'session-secret-of-forty-characters-00001';

/** The variables of a test server that signs users of the CRM in. */
export const SSO_ENV = { AUTH: 'sso', SSO_SHARED_SECRET: SHARED_SECRET, SESSION_SECRETS: SESSION_SECRET };

/** The context of a signed-in user, as the CRM has it. */
export function userContext(activeLocation: string | undefined, more: object = {}): object {
  return {
    userId: 'userInTheCrm00001',
    companyId: 'companyInTheCrm01',
    role: 'admin',
    type: 'agency',
    userName: 'María Núñez',
    email: 'maria@example.com',
    ...(activeLocation !== undefined && { activeLocation }),
    ...more,
  };
}

/** Encrypts text, bytes, or an object as JSON, as `openssl enc -aes-256-cbc -md md5` does, which is what the CRM's pages get. */
export function encryptContext(context: unknown, secret = SHARED_SECRET, salt = randomBytes(8)): string {
  const md5 = (...parts: (string | Buffer)[]): Buffer =>
    parts.reduce((hash, part) => hash.update(part), createHash('md5')).digest();
  const first = md5(secret, salt);
  const second = md5(first, secret, salt);
  const iv = md5(second, secret, salt);
  const cipher = createCipheriv('aes-256-cbc', Buffer.concat([first, second]), iv);
  const isRaw = typeof context === 'string' || Buffer.isBuffer(context);
  const plain = Buffer.from(isRaw ? context : JSON.stringify(context));
  return Buffer.concat([Buffer.from('Salted__'), salt, cipher.update(plain), cipher.final()]).toString(
    'base64',
  );
}
