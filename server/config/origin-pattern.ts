import { isIP } from 'node:net';
import { bad, good, type Parsed } from './parsers.ts';
import { toOriginUrl } from './web-address.ts';

/** An origin, or with `wildcard` every origin whose host ends in `.` + `host`. */
export interface OriginPattern {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  readonly wildcard: boolean;
}

/** Whether the URL lies in the origin: same scheme and port, the host or one beneath it, no user or password. */
export function matchesOrigin(pattern: OriginPattern, url: URL): boolean {
  // `https://storage.googleapis.com@evil.example/` reads like the allowed host and is not.
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol !== `${pattern.scheme}:` || portOf(url) !== pattern.port) return false;
  if (!pattern.wildcard) return url.hostname === pattern.host;
  const suffix = `.${pattern.host}`;
  if (!url.hostname.endsWith(suffix)) return false;
  return url.hostname
    .slice(0, -suffix.length)
    .split('.')
    .every((label) => label !== '');
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** `https://host[:port]`, or `https://*.host[:port]` for everything beneath the host. */
export function parseOriginPattern(raw: string): Parsed<OriginPattern> {
  const wildcard = /^https?:\/\/\*\./i.test(raw);
  const url = toOriginUrl(wildcard ? raw.replace('*.', '') : raw);
  if (url === null) {
    return bad('must hold origins only, https://host or https://*.host, no path, no slash at the end');
  }
  // `*.com` would let the signed URL of anyone's server through.
  if (wildcard && (!url.hostname.includes('.') || isIP(url.hostname) !== 0)) {
    return bad('must name at least two labels after *.');
  }
  return good({
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    host: url.hostname,
    port: portOf(url),
    wildcard,
  });
}

/** As it is written in the environment. */
export function formatOriginPattern({ scheme, host, port, wildcard }: OriginPattern): string {
  const usual = port === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${wildcard ? '*.' : ''}${host}${usual ? '' : `:${port}`}`;
}
