import { bad, good, integer, type Parsed } from './parsers.ts';
import { parseHost } from './web-address.ts';

/** Where clamd listens. */
export type ClamavAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'socket'; readonly path: string };

const TCP = /^tcp:\/\/(.+):(\d{1,5})$/;

/** `tcp://host:port` or the absolute path of a socket. */
export function parseClamavAddress(raw: string): Parsed<ClamavAddress> {
  if (/^\/[^\0\s]+$/.test(raw)) return good({ kind: 'socket', path: raw });
  const [, written = '', digits = ''] = TCP.exec(raw) ?? [];
  const host = parseHost(written.replace(/^\[(.*:.*)\]$/, '$1'));
  const port = integer(1, 65_535)(digits);
  return host.ok && port.ok
    ? good({ kind: 'tcp', host: host.value, port: port.value })
    : bad('must be tcp://host:port or the absolute path of a socket');
}
