import type { OutboundProxy } from '../http/outbound-proxy.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { isConnected, toTarget, type UpstreamAgent } from './agent.ts';
import { explainConnectProblem } from './connect-problem.ts';

/** Which upstream hosts can't be reached, for the log and the readiness probe. */
export interface Reachability {
  noteConnected(host: string): void;
  /** Logs what the operator can do: once for the probe and once for requests, until a connection succeeds. */
  noteUnreachable(host: string, error: Error, proxy: OutboundProxy | null, finder?: Finder): void;
  /** That Leadway can't be reached; null when it can, as far as is known. */
  problem(): Notice | null;
}

/** What could not connect: a probe in the background, or a request that a user waits for. */
type Finder = 'probe' | 'call';

/** Every host counts as reachable until a connection fails. */
export function createReachability(baseUrl: URL, logger: Logger): Reachability {
  const unreachable = new Map<string, { readonly finders: Set<Finder>; readonly sentence: string }>();
  const leadway = baseUrl.host;
  return {
    noteConnected(host) {
      // Called for every connection; there is hardly ever one that failed.
      if (unreachable.size === 0) return;
      if (unreachable.delete(host)) logger.info({ host }, `${host} can be reached again`);
    },
    noteUnreachable(host, error, proxy, finder = 'call') {
      const finders = unreachable.get(host)?.finders ?? new Set<Finder>();
      const isKnown = finders.has(finder);
      const setting = host === leadway ? 'LEADWAY_BASE_URL' : null;
      const sentence = explainConnectProblem(error, { host, setting, proxy: proxy?.shown ?? null });
      unreachable.set(host, { finders: finders.add(finder), sentence });
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

/** What {@link createProbe} takes. */
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
