import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminServer, startAdmin } from './admin.ts';
import { createApp } from './app.ts';
import type { Config, Secrets } from './config/config.ts';
import { type AppContext, createContext } from './context.ts';
import type { Embedding } from './embedding.ts';
import { addressOf, listen, localAddressOf } from './http/listen.ts';
import { createListener, LISTENER_LIMITS } from './http/listener.ts';
import type { Logger } from './logger.ts';
import type { Tracing } from './observability/tracing.ts';
import type { DemoTarget } from './sandbox-mode.ts';

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  readonly context: AppContext;
  /** Where it listens: `http://host:port`, `http://0.0.0.0:port` for every address of the machine, or `unix:/path`. */
  readonly listensOn: string;
  /** The same, as a client on this machine can use it. */
  readonly url: string;
  /** Where metrics are served; null without `ADMIN_PORT`. */
  readonly adminUrl: string | null;
  /** How many connections are open. */
  openConnections(): number;
  /** Stops the server without losing requests. Resolves to whether everything in flight has finished. */
  drain(options: DrainOptions): Promise<boolean>;
}

/** How a server stops. */
export interface DrainOptions {
  /**
   * How long requests are still served while `/readyz` is 503, in milliseconds: load balancers need a moment to notice.
   * Default 0.
   */
  readonly delayMs?: number;
  /** How long requests in flight may take after that, in milliseconds; what has not finished by then is cut. */
  readonly graceMs: number;
  /** Ends both at once when aborted. */
  readonly hurry?: AbortSignal;
}

/** What {@link startServer} builds from. */
export interface ServerOptions {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Adds the demo page, which uploads there. */
  readonly demo?: DemoTarget | null;
  /** What a program around it adds. */
  readonly embedding?: Embedding;
}

/**
 * Builds the application of `config` and listens.
 *
 * @throws the listener's error, such as `EADDRINUSE`.
 */
export async function startServer({
  config,
  secrets,
  logger,
  demo = null,
  embedding = {},
}: ServerOptions): Promise<RunningServer> {
  const context = createContext(config, secrets, logger, embedding);
  const tracing = await startTracing(context);
  const listener = createListener(
    createApp(context, { demo, tracing }),
    ({ status, code, cause }, requestId, socket) => {
      const { code: reason } = (cause ?? {}) as NodeJS.ErrnoException;
      const facts = { requestId, status, code, ip: socket.remoteAddress, ...(reason && { reason }) };
      logger.info(facts, 'request: rejected before it could be read');
      context.observers.requestEnded({
        req: null,
        method: '',
        path: '',
        status,
        durationMs: 0,
        logFields: {},
      });
    },
    context.lingering,
    LISTENER_LIMITS,
    config.origins.allowed,
  );
  const sockets = new Set<Socket>();
  listener.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  let admin: AdminServer | null = null;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    context.lifecycle.markClosing();
    for (const socket of sockets) socket.destroy();
    await closed;
    await admin?.[Symbol.asyncDispose](); // last, so that probes and Prometheus see the end
    await context[Symbol.asyncDispose]();
    await tracing?.[Symbol.asyncDispose]();
  };
  try {
    if (config.admin !== null) admin = await startAdmin(context, config.admin);
    await listen(listener, config.listen);
  } catch (error) {
    await close();
    throw error;
  }
  context.lifecycle.markReady();

  return {
    context,
    listensOn: addressOf(listener),
    url: localAddressOf(listener),
    adminUrl: admin?.url ?? null,
    openConnections: () => sockets.size,
    async drain({ delayMs = 0, graceMs, hurry = new AbortController().signal }) {
      context.lifecycle.markStopping();
      listener.closeConnectionsAfterResponses();
      if (delayMs > 0) await sleep(delayMs, undefined, { signal: hurry }).catch(() => {});
      context.lifecycle.markDraining();
      listener.close();
      // A connection may become idle without having said `Connection: close`: its response had begun before.
      const closeIdle = (): void => listener.closeIdleConnections();
      const isIdle = await pollUntil(() => context.activity.requests === 0, graceMs, hurry, closeIdle);
      // The client of a request that was rejected while its body is still arriving has yet to read the response.
      if (isIdle) await pollUntil(() => sockets.size === 0, LAST_RESPONSES_MS, hurry, closeIdle);
      await close();
      return isIdle && !hurry.aborted;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Loads OpenTelemetry if traces are configured. */
async function startTracing(context: AppContext): Promise<Tracing | null> {
  const { tracesUrl } = context.config;
  if (tracesUrl === null) return null;
  try {
    const tracing = await (await import('./observability/tracing.ts')).startTracing(context, tracesUrl);
    context.observers.add(tracing.observer);
    return tracing;
  } catch (error) {
    await context[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long connections that are still open may take to end by themselves when no request is in flight. */
const LAST_RESPONSES_MS = 1_000;
const POLL_MS = 50;

/** Waits until no request is in flight. Resolves to whether that was so within `graceMs`. */
export function whenIdle({ activity }: Pick<AppContext, 'activity'>, graceMs: number): Promise<boolean> {
  return pollUntil(() => activity.requests === 0, graceMs, new AbortController().signal);
}

/** Resolves to whether `condition` came to hold within `maxMs` and before `hurry` was aborted. */
async function pollUntil(
  condition: () => boolean,
  maxMs: number,
  hurry: AbortSignal,
  eachTime = (): void => {},
): Promise<boolean> {
  const deadline = performance.now() + maxMs;
  while (!condition()) {
    if (hurry.aborted || performance.now() >= deadline) return false;
    eachTime();
    await sleep(POLL_MS);
  }
  return true;
}
