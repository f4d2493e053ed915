import { isIP } from 'node:net';
import { bad, good, integer, listOf, type Parsed } from './parsers.ts';

const NAMED_NETWORKS = new Set(['loopback', 'linklocal', 'uniquelocal']);
const MAX_HOPS = 10;

/**
 * A number of hops or a list of networks, as Express's `trust proxy`. Whatever would trust everyone is
 * rejected: any client could then write its own address into `X-Forwarded-For` and be whoever it likes.
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
