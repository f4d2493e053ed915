import { isIP, isIPv4 } from 'node:net';
import type { ClamavAddress } from '../scan/clamd.ts';
import { bad, good, integer, listOf, type Parsed } from './parsers.ts';
import { Secret } from './secrets.ts';

const ORIGIN = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^\s/?#@\\:*%[\]]+)(:\d{1,5})?$/i;
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** A scheme, host and port and nothing else; otherwise `null`. */
export function toOriginUrl(raw: string): URL | null {
  const [, , host] = ORIGIN.exec(raw) ?? [];
  if (host === undefined || host.split('.').includes('')) return null;
  if (!URL.canParse(raw)) return null;
  const url = new URL(raw);
  // The URL Standard reads `https://1` and `https://0x7f.1` as IPv4 addresses that are never meant.
  return isIPv4(url.hostname) && url.hostname !== host ? null : url;
}

/** Whether traffic to this host stays on this machine, so that plain http gives nothing away. */
export function isLoopback(url: URL): boolean {
  const { hostname } = url;
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

/** `https://host[:port]`, normalised to what a browser writes in `Origin`. */
export function parseOrigin(raw: string): Parsed<string> {
  if (raw === 'null') {
    return bad('must not hold null: every sandboxed frame and local file has that origin');
  }
  if (raw.includes('*')) return bad('must name each origin in full, without *');
  const url = toOriginUrl(raw);
  return url === null
    ? bad('must hold full origins only: scheme, host and perhaps port, no path, no slash at the end')
    : good(url.origin);
}

/** As `parseOrigin`, https only. */
export function parseSecureOrigin(raw: string): Parsed<string> {
  const parsed = parseOrigin(raw);
  return parsed.ok && !parsed.value.startsWith('https:') ? bad('must hold https origins only') : parsed;
}

/** An origin, or with `wildcard` every origin whose host ends in `.` + `host`. */
export interface OriginPattern {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  readonly wildcard: boolean;
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

/** Whether the URL is in the origin: same scheme and port, the host or one beneath it, no user or password. */
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

/** The pattern as it is written in the environment. */
export function formatOriginPattern({ scheme, host, port, wildcard }: OriginPattern): string {
  const usual = port === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${wildcard ? '*.' : ''}${host}${usual ? '' : `:${port}`}`;
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** The address of a server whose paths we choose: no path, query, user or password. */
export function parseBaseUrl(raw: string): Parsed<URL> {
  const url = toOriginUrl(raw.replace(/\/$/, ''));
  return url === null
    ? bad('must be an http or https address without path, query, user or password')
    : good(url);
}

/** A whole http(s) URL, path and query allowed. */
export function parseWebUrl(raw: string): Parsed<URL> {
  const url = /^https?:\/\/[^\s@#\\]+$/i.test(raw) && URL.canParse(raw) ? new URL(raw) : null;
  return url === null ? bad('must be an http or https URL without user, password or #fragment') : good(url);
}

/** The issuer of tokens: a web URL, kept as written because `iss` must equal it to the letter. */
export function parseIssuer(raw: string): Parsed<string> {
  const url = parseWebUrl(raw);
  return url.ok ? good(raw) : url;
}

/** A host name or an IP address; IPv6 without brackets. */
export function parseHost(raw: string): Parsed<string> {
  // A last label of digits only is a mistyped IPv4 address, not a name.
  const isName = HOST_NAME.test(raw) && !/(^|\.)\d+$/.test(raw);
  return isName || (isIP(raw) !== 0 && !raw.includes('%'))
    ? good(raw)
    : bad('must be a host name or an IP address, without port, scheme or brackets');
}

/** Longer paths do not fit into the kernel's address (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/** The path of a unix socket, which cannot be mistaken for a host and port. */
export function parseSocketPath(raw: string): Parsed<string> {
  if (!/^\.{0,2}\/[^\0]*[^\0/]$/.test(raw)) return bad('must be a path that begins with /, ./ or ../');
  return Buffer.byteLength(raw) > MAX_SOCKET_PATH_BYTES
    ? bad(`must be at most ${MAX_SOCKET_PATH_BYTES} bytes long, as every path of a unix socket`)
    : good(raw);
}

/** `http://[user:password@]host[:port]`; the scheme may be left out. */
export function parseProxyUrl(raw: string): Parsed<Secret> {
  const text = raw.includes('://') ? raw : `http://${raw}`;
  const url = /^https?:\/\/[^\s/?#\\]+\/?$/i.test(text) && URL.canParse(text) ? new URL(text) : null;
  return url === null
    ? bad('must be the http or https address of a proxy, without a path')
    : good(new Secret(url.href));
}

/** Hosts between commas or spaces. Rejects nothing, because other programs read the same variable. */
export function parseNoProxy(raw: string): Parsed<readonly string[]> {
  const entries = raw.toLowerCase().split(/[\s,]+/);
  return good(entries.filter((entry) => entry !== ''));
}

const TCP = /^tcp:\/\/(.+):(\d{1,5})$/;

/** `tcp://host:port`, `unix:/path` or the absolute path of a socket. */
export function parseClamavAddress(raw: string): Parsed<ClamavAddress> {
  const path = raw.replace(/^unix:/, '');
  if (/^\/[^\0\s]+$/.test(path)) return good({ kind: 'socket', path });
  const [, written = '', digits = ''] = TCP.exec(raw) ?? [];
  const host = parseHost(written.replace(/^\[(.*:.*)\]$/, '$1'));
  const port = integer(1, 65_535)(digits);
  return host.ok && port.ok
    ? good({ kind: 'tcp', host: host.value, port: port.value })
    : bad('must be tcp://host:port, unix:/path or the absolute path of a socket');
}

const NAMED_NETWORKS = new Set(['loopback', 'linklocal', 'uniquelocal']);
const MAX_HOPS = 10;

/**
 * A number of hops or a list of networks, as Express's `trust proxy`. Rejects what would trust everyone: any client
 * could then write its own address into `X-Forwarded-For`.
 */
export function parseTrustProxy(raw: string): Parsed<number | readonly string[]> {
  if (/^(true|yes|on|\*|all)$/i.test(raw)) {
    return bad('must not trust everyone: clients could choose their own address; give hops or networks');
  }
  if (/^(false|no|none|0)$/i.test(raw)) return bad('is off when not set (or off)');
  return /^[+-]?\d+$/.test(raw) ? integer(1, MAX_HOPS)(raw) : listOf(parseNetwork)(raw);
}

function parseNetwork(raw: string): Parsed<string> {
  if (NAMED_NETWORKS.has(raw)) return good(raw);
  const [address = '', prefix, ...rest] = raw.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || rest.length > 0) {
    return bad(`must be hops (1 to ${MAX_HOPS}), or IP addresses, CIDRs, loopback, linklocal, uniquelocal`);
  }
  if (prefix === undefined) return good(raw);
  const bits = integer(1, family === 4 ? 32 : 128)(prefix);
  if (bits.ok) return good(raw);
  return prefix === '0'
    ? bad('must not trust everyone: a network of /0 is every address')
    : bad(`must have a prefix from 1 to ${family === 4 ? 32 : 128} in its CIDRs`);
}
