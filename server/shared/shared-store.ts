import { createClient } from 'redis';
import type { Logger } from '../logger.ts';
import { redactText } from '../redact.ts';

/** What replicas share: a Redis that may be away at any moment. */
export interface SharedStore extends AsyncDisposable {
  /** Whether it answers at the moment. */
  readonly isUp: boolean;
  /** Runs one command. Rejects within {@link COMMAND_TIMEOUT_MS} when Redis is away or slow. */
  send(...command: string[]): Promise<unknown>;
  /** Why it can't be used, for the log and the readiness probe; null when it can. */
  problem(): string | null;
}

/** Limits are a few numbers: whoever takes longer than this to add them up is as good as away. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 2_000;
const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * Connects to Redis in the background and for as long as the process lives. Commands are never queued for
 * later: a request must not hang because Redis does.
 */
export function openSharedStore(url: string, logger: Logger): SharedStore {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, MAX_RECONNECT_DELAY_MS),
    },
  });
  let isUp = false;
  let isClosing = false;

  client.on('ready', () => {
    isUp = true;
    logger.info('Redis is connected: limits are shared by all replicas');
  });
  client.on('error', (error: Error) => {
    if (isUp && !isClosing) {
      logger.error(
        { reason: redactText(error.message) },
        'Redis is away: limits are counted by each process for itself',
      );
    }
    isUp = false;
  });
  const connecting = client.connect().catch(() => {
    // The error event has said it; the client goes on trying.
  });

  return {
    get isUp() {
      return isUp;
    },
    async send(...command) {
      if (!isUp) throw new Error('Redis is away');
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('Redis did not answer in time')), COMMAND_TIMEOUT_MS);
      });
      try {
        return await Promise.race([client.sendCommand(command), timeout]);
      } finally {
        clearTimeout(timer);
      }
    },
    problem: () => (isUp ? null : 'Redis is away; limits are counted by each process for itself'),
    async [Symbol.asyncDispose]() {
      isClosing = true;
      client.destroy();
      await connecting;
    },
  };
}
