import { isIP } from 'node:net';
import type { Request } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';

/** An IPv6 subscriber has a whole /56, so single addresses say nothing. */
const IPV6_PREFIX_BITS = 56;

/** Keys of addresses that were seen lately: computing the subnet runs some very long regular expressions. */
const keys = new Map<string, string>();
const MAX_KEYS = 1_000;

/** The client's address as `TRUST_PROXY` lets it be known, by subnet. */
export function addressKeyOf(req: Request): string {
  const address = addressOf(req);
  const known = keys.get(address);
  if (known !== undefined) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key = ipKeyGenerator(address, IPV6_PREFIX_BITS);
  keys.set(address, key);
  return key;
}

const IPV4_WITH_PORT = /^([\d.]+):\d+$/;
const IPV6_IN_BRACKETS = /^\[([^[\]]+)\](?::\d+)?$/;

/**
 * Some proxies append the client's port, which would make each connection a new client. A value that is not an address
 * is forged; the proxy's own address is used instead.
 */
function addressOf(req: Request): string {
  const given = req.ip ?? '';
  if (given === req.socket.remoteAddress) return given;
  const address = (IPV4_WITH_PORT.exec(given) ?? IPV6_IN_BRACKETS.exec(given))?.[1] ?? given;
  return isIP(address) === 0 ? (req.socket.remoteAddress ?? 'unknown') : address;
}
