import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a signed URL allows. */
interface Grant {
  method: string;
  /** Path of the bucket and object, as it is written in the URL. */
  path: string;
  contentType: string;
}

/** Why a signed request is rejected, in the words of GCS. */
export interface SignatureProblem {
  status: number;
  code: string;
  message: string;
}

/** Signs and checks V4-looking URLs; the signature is an HMAC instead of RSA. */
export interface UrlSigner {
  /** `expiresAt` falls on a whole second, as X-Goog-Date and X-Goog-Expires have no finer unit. */
  sign(origin: string, grant: Grant, ttlMs: number): { url: string; expiresAt: number };
  verify(request: {
    method: string;
    url: URL;
    host: string;
    contentType: string | undefined;
  }): SignatureProblem | null;
}

const SIGNATURE = 'X-Goog-Signature';

function toGoogDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[-:]|\.\d+/g, '');
}

function fromGoogDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** Makes a signer with its own key, so a URL of another sandbox never passes. */
export function createUrlSigner(now: () => number): UrlSigner {
  const key = randomBytes(32);

  // Every query parameter takes part, so adding or repeating one breaks the signature too.
  function signatureOf(method: string, host: string, url: URL, contentType: string): string {
    const query = new URLSearchParams(url.search);
    query.delete(SIGNATURE);
    query.sort();
    const canonical = [method, url.pathname, query, `content-type:${contentType}`, `host:${host}`].join('\n');
    return createHmac('sha256', key).update(canonical).digest('hex');
  }

  return {
    sign(origin, grant, ttlMs) {
      const signedAt = Math.floor(now() / 1000) * 1000;
      const expiresSeconds = Math.ceil(ttlMs / 1000);
      const date = toGoogDate(signedAt);
      const url = new URL(grant.path, origin);
      url.search = new URLSearchParams({
        'X-Goog-Algorithm': 'GOOG4-RSA-SHA256',
        'X-Goog-Credential': `sandbox@sandbox.iam.gserviceaccount.example/${date.slice(0, 8)}/auto/storage/goog4_request`,
        'X-Goog-Date': date,
        'X-Goog-Expires': String(expiresSeconds),
        'X-Goog-SignedHeaders': 'content-type;host',
      }).toString();
      url.searchParams.set(SIGNATURE, signatureOf(grant.method, url.host, url, grant.contentType));
      return { url: url.href, expiresAt: signedAt + expiresSeconds * 1000 };
    },

    verify({ method, url, host, contentType }) {
      const given = url.searchParams.get(SIGNATURE);
      if (given === null) {
        return {
          status: 403,
          code: 'AccessDenied',
          message:
            'Anonymous client does not have storage.objects access to the Google Cloud Storage object.',
        };
      }
      if (contentType === undefined) {
        return {
          status: 400,
          code: 'MalformedSecurityHeader',
          message: 'Header was included in signedheaders, but not in the request.',
        };
      }
      const expected = Buffer.from(signatureOf(method, host, url, contentType));
      const received = Buffer.from(given);
      if (expected.length !== received.length || !timingSafeEqual(expected, received)) {
        return SIGNATURE_DOES_NOT_MATCH;
      }
      const signedAt = fromGoogDate(url.searchParams.get('X-Goog-Date') ?? '');
      const expiresAt = signedAt + Number(url.searchParams.get('X-Goog-Expires')) * 1000;
      return now() < expiresAt ? null : EXPIRED_TOKEN;
    },
  };
}

/** GCS's response to a request that is not the signed one. */
export const SIGNATURE_DOES_NOT_MATCH: SignatureProblem = {
  status: 403,
  code: 'SignatureDoesNotMatch',
  message:
    'Access denied. The request signature we calculated does not match the signature you provided. ' +
    'Check your Google secret key and signing method.',
};

/** GCS's response to a signed URL past its time. */
export const EXPIRED_TOKEN: SignatureProblem = {
  status: 400,
  code: 'ExpiredToken',
  message: 'The provided token has expired.',
};
