import { isIPv6 } from 'node:net';
import { bad, good, type Parsed } from './parsers.ts';
import { Secret } from './secrets.ts';

/** A machine with Redis or Sentinel. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is. Holds a password. */
export interface RedisAddress {
  readonly hasTls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** The server; or the Sentinels, which know where it is. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  /** The name by which the Sentinels know the server; null without Sentinels. */
  readonly masterName: string | null;
}

const URL_FORM = /^(?:redis|valkey)(s?)(\+sentinel)?:\/\/(?:([^\s/]*)@)?([^\s/@]+)(?:\/(\S*))?$/;
const NODE = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([1-9]\d{0,4}))?$/i;
const SENTINEL_PATH = /^([\w.-]+)(?:\/(\d{1,5}))?$/;
const WANTED =
  'must be redis://[user:password@]host[:port][/db], rediss://… for TLS, or redis+sentinel://host[:port],…/name[/db]';

/** Secret as a whole, because its user part holds a password. `rediss` and `valkeys` are with TLS. */
export function parseRedisUrl(raw: string): Parsed<Secret> {
  return toRedisAddress(raw) === null ? bad(WANTED) : good(new Secret(raw));
}

/** The parts of a `REDIS_URL`; null if it is not one. */
export function toRedisAddress(raw: string): RedisAddress | null {
  const [, tls, sentinel, credentials = '', authority = '', path = ''] = URL_FORM.exec(raw) ?? [];
  if (authority === '') return null;
  const isSentinel = sentinel !== undefined;
  const [first, ...others] = authority.split(',').map((node) => toNode(node, isSentinel ? 26_379 : 6379));
  const user = toCredentials(credentials);
  if (!first || user === null || !others.every((node) => node !== null)) return null;

  const hasTls = tls === 's';
  const [, masterName, database = '0'] = SENTINEL_PATH.exec(path) ?? [];
  if (isSentinel) {
    if (masterName === undefined) return null;
    return { hasTls, ...user, nodes: [first, ...others], masterName, database: Number(database) };
  }
  if (others.length > 0 || !/^\d{0,5}$/.test(path)) return null;
  return { hasTls, ...user, nodes: [first], masterName: null, database: Number(path) };
}

function toNode(text: string, defaultPort: number): RedisNode | null {
  const [, ipv6, name, digits] = NODE.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6))) return null;
  return { host, port };
}

/** `user:password`, each percent-encoded where needed; an empty one counts as not set. */
function toCredentials(text: string): Pick<RedisAddress, 'username' | 'password'> | null {
  const [, user = '', password = ''] = /^([^:]*):?(.*)$/.exec(text) ?? [];
  try {
    return { username: decodeURIComponent(user) || null, password: decodeURIComponent(password) || null };
  } catch {
    return null;
  }
}
