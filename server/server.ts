import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { createApp } from './app.ts';
import type { Config } from './config/config.ts';
import type { Secrets } from './config/secrets.ts';
import { type AppContext, createContext } from './context.ts';
import type { DemoTarget } from './demo.ts';
import type { Embedding } from './embedding.ts';
import { addressOf, listen, localAddressOf } from './http/listen.ts';
import { createListener } from './http/listener.ts';
import type { Logger } from './logger.ts';

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  readonly context: AppContext;
  /** Where it listens: `http://host:port`, `http://0.0.0.0:port` for every address of the machine, or `unix:/path`. */
  readonly listensOn: string;
  /** The same, as a client on this machine can use it. */
  readonly url: string;
  /** How many connections are open. */
  openConnections(): number;
  /**
   * Refuses new calls and lets those under way finish.
   *
   * @param graceMs How long that may take; what is not finished by then is cut.
   * @param hurry Cuts it at once when aborted.
   * @returns Whether everything finished by itself.
   */
  drain(graceMs: number, hurry?: AbortSignal): Promise<boolean>;
}

/**
 * Builds the application of `config` and listens.
 *
 * @param demo Adds the demo page, which uploads there.
 * @param embedding What a program around it adds.
 * @throws the listener's error, such as `EADDRINUSE`.
 */
export async function startServer(
  config: Config,
  secrets: Secrets,
  logger: Logger,
  demo: DemoTarget | null = null,
  embedding: Embedding = {},
): Promise<RunningServer> {
  const context = createContext(config, secrets, logger, embedding);
  const listener = createListener(
    createApp(context, demo),
    ({ status, code, cause }, requestId, socket) => {
      const { code: reason } = (cause ?? {}) as NodeJS.ErrnoException;
      const facts = { requestId, status, code, ip: socket.remoteAddress, ...(reason && { reason }) };
      logger.info(facts, 'request: rejected before it could be read');
    },
    context.lingering,
  );
  const sockets = new Set<Socket>();
  listener.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
    await context[Symbol.asyncDispose]();
  };
  try {
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
    openConnections: () => sockets.size,
    async drain(graceMs, hurry) {
      context.lifecycle.markDraining();
      const isIdle = await whenIdle(context, graceMs, hurry);
      if (isIdle) await lastAnswersRead(listener, sockets, hurry);
      await close();
      return isIdle;
    },
    [Symbol.asyncDispose]: close,
  };
}

const IDLE_CHECK_MS = 50;

/** Waits until no request is under way; the listener stays open, so that probes see the draining state. */
export async function whenIdle(
  { activity }: AppContext,
  graceMs: number,
  hurry?: AbortSignal,
): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  while (activity.requests > 0) {
    if (hurry?.aborted || performance.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, IDLE_CHECK_MS));
  }
  return true;
}

const FAREWELL_MS = 1_000;

/**
 * Takes no more connections and gives those that are left a moment to end by themselves: one that still
 * brings the body of a request that was refused would be reset otherwise, and its caller lose the answer.
 */
async function lastAnswersRead(
  listener: Server,
  sockets: ReadonlySet<Socket>,
  hurry?: AbortSignal,
): Promise<void> {
  listener.close();
  const deadline = performance.now() + FAREWELL_MS;
  while (sockets.size > 0 && !hurry?.aborted && performance.now() < deadline) {
    listener.closeIdleConnections();
    await new Promise((resolve) => setTimeout(resolve, IDLE_CHECK_MS));
  }
}
