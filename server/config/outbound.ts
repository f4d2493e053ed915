import { type Checks, report } from './checks.ts';
import type { Config } from './config.ts';
import { bad, good, type Parser } from './parsers.ts';
import { Secret } from './secrets.ts';

/** `http://[user:password@]host[:port]`; the scheme may be left out. */
export const parseProxyUrl: Parser<Secret> = function parseProxyUrl(raw) {
  const text = raw.includes('://') ? raw : `http://${raw}`;
  const url = /^https?:\/\/[^\s/?#\\]+\/?$/i.test(text) && URL.canParse(text) ? new URL(text) : null;
  return url === null
    ? bad('must be the http or https address of a proxy, without a path')
    : good(new Secret(url.href));
};

/** Hosts between commas or blanks. Other programs read it too, so nothing in it is rejected. */
export const parseNoProxy: Parser<readonly string[]> = function parseNoProxy(raw) {
  return good(
    raw
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== ''),
  );
};

/** How outbound calls travel and whom they trust. */
export function resolveOutbound(checks: Checks): Config['outbound'] {
  const { NO_PROXY, NODE_EXTRA_CA_CERTS: extraCaCerts } = checks.environment.values;
  // Node only prints a warning, and then no certificate of that authority is trusted.
  if (extraCaCerts !== null && !isReadable(extraCaCerts, checks.readFile)) {
    report(checks, 'NODE_EXTRA_CA_CERTS', 'must name a file that can be read', { came: extraCaCerts });
  }
  return { noProxy: NO_PROXY ?? [], extraCaCerts };
}

function isReadable(path: string, readFile: Checks['readFile']): boolean {
  try {
    readFile(path);
    return true;
  } catch {
    return false;
  }
}
