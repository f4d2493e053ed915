import { createClient } from 'redis';
import type { Logger } from '../logger.ts';
import { redactText } from '../redaction.ts';
import { isScriptMissing } from './script.ts';

/** What replicas share: a Redis that may be away at any moment. */
export interface SharedStore extends AsyncDisposable {
  /** Whether it answers at the moment. */
  readonly isUp: boolean;
  /** Runs one command. Rejects at once when Redis is known to be away, else after {@link COMMAND_TIMEOUT_MS}. */
  send(...command: string[]): Promise<unknown>;
  /** Why it can't be used, for the log and the readiness probe; null when it can. */
  problem(): string | null;
}

/** Limits are a few numbers: whoever takes longer than this to add them up is as good as away. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
const PROBE_INTERVAL_MS = 500;
/** A connection on which nothing has come for so long is given up; a partitioned network closes none by itself. */
const DEAD_AFTER_MS = 10_000;

const PROBLEM = 'Redis is away: each process counts limits for itself';

/** What all our uses need: a script that writes. A read-only or full Redis answers PING all the same. */
const PROBE = [
  'EVAL',
  "return redis.call('SET', KEYS[1], '1', 'PX', 1000)",
  '1',
  'leadway-bff:probe',
] as const;

/**
 * Connects to Redis in the background and for as long as the process lives. Commands are never queued for
 * later, and one that fails or is late makes all others fail at once until a probe has got through: a
 * request must not wait for Redis more than once.
 */
export function openSharedStore(url: string, logger: Logger): SharedStore {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: DEAD_AFTER_MS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, MAX_RECONNECT_DELAY_MS),
    },
    // Keeps an idle connection from being taken for a dead one.
    pingInterval: DEAD_AFTER_MS / 3,
  });
  let state: 'starting' | 'up' | 'away' = 'starting';
  let isClosing = false;

  const markAway = (error: unknown): void => {
    if (state !== 'away' && !isClosing) {
      logger.error({ reason: redactText(String(error)) }, PROBLEM);
    }
    state = 'away';
  };
  const run = async (command: readonly string[]): Promise<unknown> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const fail = (): void => reject(new Error('Redis did not answer in time'));
    // When this process was busy for that long, the reply may be there and unread: it is read before the next turn.
    const timer = setTimeout(() => setImmediate(fail), COMMAND_TIMEOUT_MS);
    try {
      return await Promise.race([client.sendCommand([...command]), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  let isProbing = false;
  const probe = async (): Promise<void> => {
    if (state === 'up' || isProbing || isClosing || !client.isReady) return;
    isProbing = true;
    try {
      await run(PROBE);
      state = 'up';
      logger.info('Redis answers: limits are shared by all replicas');
    } catch (error) {
      markAway(error);
    } finally {
      isProbing = false;
    }
  };

  client.on('ready', () => void probe());
  client.on('error', markAway);
  const prober = setInterval(() => void probe(), PROBE_INTERVAL_MS);
  prober.unref();
  // The error event has said what is wrong, and the client goes on trying.
  client.connect().catch(() => {});

  return {
    get isUp() {
      return state === 'up';
    },
    async send(...command) {
      if (state !== 'up') throw new Error(PROBLEM);
      try {
        return await run(command);
      } catch (error) {
        if (!isScriptMissing(error)) markAway(error);
        throw error;
      }
    },
    problem: () => (state === 'away' ? PROBLEM : null),
    async [Symbol.asyncDispose]() {
      isClosing = true;
      clearInterval(prober);
      if (client.isOpen) client.destroy();
    },
  };
}
