import { BlockList, isIP } from 'node:net';
import type { Secrets } from '../config/config.ts';
import type { Secret } from '../config/secrets.ts';

/** The address of a call; every URL is one. */
export interface OutboundTarget {
  readonly protocol?: string | null | undefined;
  readonly hostname?: string | null | undefined;
  readonly port?: string | number | null | undefined;
}

/** A proxy for outbound calls. */
export interface OutboundProxy {
  /** With user and password, if it has them. */
  readonly url: Secret;
  /** Scheme, host and port, which may be printed. */
  readonly shown: string;
}

/** The proxy for calls to `target`; null if they use none. */
export type ProxyFor = (target: OutboundTarget) => OutboundProxy | null;

/**
 * Chooses the proxy of every outbound call by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Calls to this machine never use
 * one, which Node's own support for these variables does not ensure.
 */
export function createProxyFor(
  { httpsProxy, httpProxy }: Pick<Secrets, 'httpsProxy' | 'httpProxy'>,
  noProxy: readonly string[],
): ProxyFor {
  const secure = toProxy(httpsProxy);
  const plain = toProxy(httpProxy);
  if (secure === null && plain === null) return () => null;
  const isExempt = createExemptions(noProxy);
  return (target) => {
    const proxy = target.protocol === 'https:' ? secure : plain;
    return proxy === null || isExempt(target) ? null : proxy;
  };
}

/** The part of `url` that may be printed. */
export function showProxy(url: Secret): string {
  const { protocol, hostname, port } = new URL(url.reveal());
  return `${protocol}//${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

function toProxy(url: Secret | null): OutboundProxy | null {
  return url === null ? null : { url, shown: showProxy(url) };
}

/**
 * `NO_PROXY` as curl reads it: a name matches itself and everything below it, with or without a dot in front; an address
 * may be a range (`10.0.0.0/8`); either may have a port; `*` matches everything.
 */
function createExemptions(noProxy: readonly string[]): (target: OutboundTarget) => boolean {
  const addresses = new BlockList();
  addresses.addSubnet('127.0.0.0', 8, 'ipv4');
  addresses.addAddress('::1', 'ipv6');
  const names = ['localhost'];
  for (const entry of noProxy) {
    const [address = '', prefix] = entry.replace(/^\[(.*)\]$/, '$1').split('/');
    const family = isIP(address);
    if (family === 0) names.push(entry.replace(/^\*?\./, ''));
    else addSubnet(addresses, address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return ({ protocol, hostname, port }) => {
    const host = (hostname ?? '')
      .toLowerCase()
      .replace(/^\[(.*)\]$/, '$1')
      .replace(/\.$/, '');
    const family = isIP(host);
    if (family !== 0 && addresses.check(host, family === 6 ? 'ipv6' : 'ipv4')) return true;
    const withPort = `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
    return names.some(
      (name) => name === '*' || [host, withPort].some((own) => own === name || own.endsWith(`.${name}`)),
    );
  };
}

function addSubnet(
  list: BlockList,
  address: string,
  prefix: string | undefined,
  family: 'ipv4' | 'ipv6',
): void {
  const bits = family === 'ipv6' ? 128 : 32;
  const length = prefix === undefined ? bits : Number(prefix);
  if (Number.isInteger(length) && length >= 0 && length <= bits) list.addSubnet(address, length, family);
}
