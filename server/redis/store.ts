import { toRedisAddress } from '../config/redis-address.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { redactText } from '../redaction.ts';
import { openRedisConnection } from './redis-connection.ts';
import { isScriptMissing } from './script.ts';

/** The Redis that replicas share, which may be down at any moment. */
export interface SharedStore extends AsyncDisposable {
  /** Whether it responds now. */
  readonly isUp: boolean;
  /** Runs one command. Rejects at once if Redis is known to be down, otherwise after {@link COMMAND_TIMEOUT_MS}. */
  send(...command: string[]): Promise<unknown>;
  /** Why it can't be used, for the readiness probe; null if it can. */
  problem(): Notice | null;
}

/** Counters take a millisecond: a Redis that needs longer than this counts as down. */
const COMMAND_TIMEOUT_MS = 250;
const PROBE_INTERVAL_MS = 500;

const PROBLEM = 'Redis is down: each process counts limits for itself';

/** A script that writes, which all our uses need. A read-only or full Redis responds to PING anyway. */
const PROBE = [
  'EVAL',
  "return redis.call('SET', KEYS[1], '1', 'PX', 1000)",
  '1',
  'leadway-bff:probe',
] as const;

/**
 * Connects to Redis in the background, for as long as the process lives. Commands are never queued for later. One that
 * fails or is late makes all others fail at once until a probe succeeds, so that a request waits for Redis at most once.
 */
export function openSharedStore(url: string, logger: Logger): SharedStore {
  const address = toRedisAddress(url);
  if (address === null) throw new TypeError('not the URL of a Redis');
  let state: 'starting' | 'up' | 'down' = 'starting';
  let isClosing = false;
  let reason = '';

  const markDown = (error: unknown): void => {
    const isNew = state !== 'down' && !isClosing;
    state = 'down';
    if (!isNew) return;
    reason = redactText(String(error));
    logger.error({ reason }, PROBLEM);
  };
  const run = async (command: readonly string[]): Promise<unknown> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const fail = (): void => reject(new Error('Redis did not respond in time'));
    const startedAt = performance.now();
    let timer = setTimeout(() => {
      // This process was busy meanwhile, and may not even have sent the command.
      const wasBusy = performance.now() - startedAt > 1.2 * COMMAND_TIMEOUT_MS;
      timer = setTimeout(fail, wasBusy ? COMMAND_TIMEOUT_MS : 0);
    }, COMMAND_TIMEOUT_MS);
    try {
      return await Promise.race([connection.send(command), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  let isProbing = false;
  const probe = async (): Promise<void> => {
    if (state === 'up' || isProbing || isClosing || !connection.isReady) return;
    isProbing = true;
    try {
      await run(PROBE);
      state = 'up';
      logger.info('Redis responds: limits are shared by all replicas');
    } catch (error) {
      markDown(error);
    } finally {
      isProbing = false;
    }
  };

  const connection = openRedisConnection(address, {
    onReady: () => void probe(),
    onError: markDown,
    isUsable: () => state === 'up',
  });
  const prober = setInterval(() => void probe(), PROBE_INTERVAL_MS);
  prober.unref();

  return {
    get isUp() {
      return state === 'up';
    },
    async send(...command) {
      if (state !== 'up') throw new Error(PROBLEM);
      try {
        return await run(command);
      } catch (error) {
        if (!isScriptMissing(error)) markDown(error);
        throw error;
      }
    },
    problem: () => (state === 'down' ? { text: PROBLEM, detail: `${PROBLEM} (${reason})` } : null),
    async [Symbol.asyncDispose]() {
      isClosing = true;
      clearInterval(prober);
      connection[Symbol.dispose]();
    },
  };
}

/**
 * Resolves to the result of `shared` or, while Redis is down, of `local`: a limit that each replica enforces for itself is
 * better than none.
 */
export async function sharedOrLocal<T>(
  store: SharedStore,
  shared: () => Promise<T>,
  local: () => T | Promise<T>,
  onError: (error: unknown) => void = () => {},
): Promise<T> {
  if (!store.isUp) return local();
  try {
    return await shared();
  } catch (error) {
    onError(error);
    return local();
  }
}
