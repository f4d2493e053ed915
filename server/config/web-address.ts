import { isIP, isIPv4 } from 'node:net';
import { bad, good, type Parsed, type Parser } from './parsers.ts';

const ORIGIN = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^\s/?#@\\:*%[\]]+)(:\d{1,5})?$/i;
const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** A scheme, host and port and nothing else; `null` when it is not that. */
export function toOriginUrl(raw: string): URL | null {
  const [, , host] = ORIGIN.exec(raw) ?? [];
  if (host === undefined || host.split('.').includes('')) return null;
  if (!URL.canParse(raw)) return null;
  const url = new URL(raw);
  // WHATWG parsing reads `https://1` and `https://0x7f.1` as IPv4 addresses that nobody meant to write.
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

/** The issuer of tokens: a web URL kept as it is written, since `iss` must equal it to the letter. */
export function parseIssuer(raw: string): Parsed<string> {
  const url = parseWebUrl(raw);
  return url.ok ? good(raw) : url;
}

/** A host name or an IP address; IPv6 without brackets. */
export const parseHost: Parser<string> = function parseHost(raw) {
  // A last label of digits only is a mistyped IPv4 address, not a name.
  const isName = HOST_NAME.test(raw) && !/(^|\.)\d+$/.test(raw);
  return isName || (isIP(raw) !== 0 && !raw.includes('%'))
    ? good(raw)
    : bad('must be a host name or an IP address, without port, scheme or brackets');
};

/** Longer paths do not fit into the kernel's address (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/** The path of a unix socket, which a host and port could not be taken for. */
export const parseSocketPath: Parser<string> = function parseSocketPath(raw) {
  if (!/^\.{0,2}\/[^\0]*[^\0/]$/.test(raw)) return bad('must be a path that begins with /, ./ or ../');
  return Buffer.byteLength(raw) > MAX_SOCKET_PATH_BYTES
    ? bad(`must be at most ${MAX_SOCKET_PATH_BYTES} bytes long, as every path of a unix socket`)
    : good(raw);
};
