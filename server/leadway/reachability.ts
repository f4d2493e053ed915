import type { OutboundProxy } from '../http/outbound-proxy.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { ConnectTimeoutError, isConnected, toTarget, type UpstreamAgent } from './agent.ts';

/** Which upstream hosts can't be reached, for the log and the readiness probe. */
export interface Reachability {
  noteConnected(host: string): void;
  /** Logs what the operator can do: once for the probe and once for requests, until a connection succeeds. */
  noteUnreachable(host: string, error: Error, proxy: OutboundProxy | null, attempt?: Attempt): void;
  /** That Leadway can't be reached; null when it can, as far as is known. */
  problem(): Notice | null;
}

/** What could not connect: a probe in the background, or a request that a user waits for. */
type Attempt = 'probe' | 'call';

/** Every host counts as reachable until a connection fails. */
export function createReachability(baseUrl: URL, logger: Logger): Reachability {
  const unreachable = new Map<string, { readonly attempts: Set<Attempt>; readonly sentence: string }>();
  const leadway = baseUrl.host;
  return {
    noteConnected(host) {
      // Called for every connection; there is hardly ever one that failed.
      if (unreachable.size === 0) return;
      if (unreachable.delete(host)) logger.info({ host }, `${host} can be reached again`);
    },
    noteUnreachable(host, error, proxy, attempt = 'call') {
      const attempts = unreachable.get(host)?.attempts ?? new Set<Attempt>();
      const isKnown = attempts.has(attempt);
      const setting = host === leadway ? 'LEADWAY_BASE_URL' : null;
      const sentence = explainConnectProblem(error, { host, setting, proxy: proxy?.shown ?? null });
      unreachable.set(host, { attempts: attempts.add(attempt), sentence });
      const { code } = error as NodeJS.ErrnoException;
      const facts = { host, ...(code !== undefined && { reason: code }) };
      logger[isKnown ? 'debug' : 'error'](facts, sentence);
    },
    problem() {
      const found = unreachable.get(leadway);
      return found === undefined ? null : { text: 'Leadway can’t be reached', detail: found.sentence };
    },
  };
}

/** How often the probe may look again. */
const PROBE_EVERY_MS = 10_000;

/** Options of {@link createProbe}. */
export interface ProbeOptions {
  /** Reports the result. */
  readonly agent: UpstreamAgent;
  readonly baseUrl: URL;
  readonly onConnected?: () => void;
  readonly now?: () => number;
}

/** Makes a function that opens a connection to Leadway in the background and closes it again, without a request. */
export function createProbe({ agent, baseUrl, onConnected, now = Date.now }: ProbeOptions): () => void {
  let probedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (now() - probedAt < PROBE_EVERY_MS) return;
    probedAt = now();
    const request = agent.request(toTarget(baseUrl), { method: 'HEAD' });
    const close = (): void => {
      request.destroy();
      onConnected?.();
    };
    request.on('error', () => {});
    request.once('socket', (socket) => {
      if (isConnected(request)) close();
      else socket.once(baseUrl.protocol === 'https:' ? 'secureConnect' : 'connect', close);
    });
  };
}

/** Where a connection was to go. */
export interface ConnectTarget {
  readonly host: string;
  /** The setting that names the host; null when it comes from elsewhere. */
  readonly setting: string | null;
  /** The proxy on the way, as it may be printed; or null. */
  readonly proxy: string | null;
}

/** Why connecting failed: a clause, and a sentence or two of advice. */
export interface ConnectProblem {
  readonly cause: string;
  readonly fix: string;
}

const CA_CERTS = 'Set NODE_EXTRA_CA_CERTS to a file with the certificate of the authority that signed it.';
const FIREWALL = 'Check the network and its firewall. If programs get out by a proxy here, set HTTPS_PROXY.';
const CLOCK = 'Have it renewed, and check the clock of this machine.';

/** Why connecting failed, in a sentence for the operator: host, cause and fix. */
export function explainConnectProblem(error: unknown, target: ConnectTarget): string {
  const { cause, fix } = connectProblem(error, target);
  return `${target.host} can’t be reached: ${cause}. ${fix}`;
}

/** Why connecting failed, and what the operator can do. */
export function connectProblem(error: unknown, { setting, proxy }: ConnectTarget): ConnectProblem {
  return (
    (proxy === null ? null : explainProxy(error, proxy)) ??
    explain(error, setting === null ? '' : `Check ${setting}`)
  );
}

/** Null for what went wrong beyond the proxy. */
function explainProxy(error: unknown, proxy: string): ConnectProblem | null {
  const { code = '', statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  if (code === 'ERR_PROXY_TUNNEL') {
    const cause = `the proxy ${proxy} does not let it through${statusCode ? ` (status ${statusCode})` : ''}`;
    if (statusCode === 407)
      return { cause, fix: 'Give its user and password: HTTPS_PROXY=http://user:password@host:port.' };
    return { cause, fix: 'Have the proxy allow this host, or list the host in NO_PROXY.' };
  }
  const { cause } = explain(error, '');
  return isTlsError(code)
    ? null
    : { cause: `it is behind the proxy ${proxy}, and ${cause}`, fix: 'Check HTTPS_PROXY and HTTP_PROXY.' };
}

/** Whether connecting failed in the TLS handshake, or may have: a reset is one of either kind. */
export function isTlsError(code: string): boolean {
  return /CERT|^ERR_SSL_|^ERR_TLS_|^EPROTO$|^ECONNRESET$|^UNABLE_TO/.test(code);
}

function explain(error: unknown, check: string): ConnectProblem {
  const { code = '', message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const checkAnd = (rest: string): string => (check === '' ? `Check ${rest}.` : `${check} and ${rest}.`);
  if (error instanceof ConnectTimeoutError) return { cause: message, fix: FIREWALL };
  switch (code) {
    case 'ENOTFOUND':
      return { cause: 'there is no such host name (DNS)', fix: checkAnd('the DNS of this machine') };
    case 'ECONNREFUSED':
      return { cause: 'it refuses the connection', fix: checkAnd('whether a firewall stands between') };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return { cause: `there is no way to it (${code})`, fix: FIREWALL };
    case 'ETIMEDOUT':
      return { cause: 'nothing came back in time', fix: FIREWALL };
    case 'EMFILE':
    case 'ENFILE':
      return { cause: 'this process has no file descriptors left', fix: 'Raise their limit (ulimit -n).' };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return { cause: 'its certificate is self-signed, or that of its authority is', fix: CA_CERTS };
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return {
        cause: 'its certificate is signed by an authority that this machine does not know',
        fix: CA_CERTS,
      };
    case 'CERT_HAS_EXPIRED':
      return { cause: 'its certificate has expired', fix: CLOCK };
    case 'CERT_NOT_YET_VALID':
      return { cause: 'its certificate is not valid yet', fix: CLOCK };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { cause: 'its certificate is for another host', fix: checkAnd('the certificate') };
    case 'EPROTO':
    case 'ECONNRESET':
      return { cause: `the TLS handshake failed (${code})`, fix: checkAnd('whether the port speaks TLS') };
  }
  if (code.startsWith('EAI_')) {
    return {
      cause: `its name could not be looked up (${code})`,
      fix: 'Check the DNS server of this machine.',
    };
  }
  if (code.startsWith('CERT_')) return { cause: `its certificate is not valid (${code})`, fix: CA_CERTS };
  if (code.startsWith('ERR_SSL_')) {
    return { cause: `the TLS handshake failed (${code})`, fix: checkAnd('whether the port speaks TLS') };
  }
  return { cause: code || message || 'for an unknown reason', fix: checkAnd('the network') };
}
