import type { IncomingMessage } from 'node:http';
import type { Request, Router } from 'express';
import { createUploadApp } from './app.ts';
import { type Config, formatProblems, loadConfig, type Secrets } from './config/config.ts';
import type { ConfigProblem } from './config/parsers.ts';
import { createContext } from './context.ts';
import type { FinishedUpload, PendingUpload, User } from './embedding.ts';
import { createLogger, type ForeignLogger } from './logger.ts';
import { runSandbox } from './sandbox-mode.ts';
import { type RunningServer, startServer, whenIdle } from './server.ts';

export {
  type CheckedFile,
  type FinishedUpload,
  type PendingUpload,
  type UploadedFile,
  UploadRejected,
  type UploadTarget,
  type User,
} from './embedding.ts';
export type { ConfigProblem, ForeignLogger as Logger };

/** Settings that have been checked. Made by {@link settingsFromEnv}. */
export interface Settings {
  /** What is allowed and most likely a mistake, as sentences. */
  readonly warnings: readonly string[];
}

/** Everything that is wrong with the settings, in `problems`, and one per line in `message`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(formatProblems(problems));
    this.problems = problems;
  }
}

/** What a server or a router is made of. */
export interface Options {
  readonly settings: Settings;
  /** Identifies the client of a request; null rejects it with 401. Replaces `AUTH`. */
  readonly authenticate?: (req: Request) => Promise<User | null> | User | null;
  /**
   * Called when a file's leading bytes have been checked, and again before the commit if one of the ids arrived
   * after that. Rejects the upload by throwing an `UploadRejected`.
   */
  readonly beforeUpload?: (upload: PendingUpload) => Promise<void> | void;
  /** Called when Leadway has the files. What it throws is logged, and the response has been sent by then. */
  readonly afterUpload?: (upload: FinishedUpload) => Promise<void> | void;
  /** Gets the log lines, without anything that looks like a secret. Default: JSON lines on standard output. */
  readonly logger?: ForeignLogger;
}

/** How {@link Server.close} and {@link UploadRouter.close} end. */
export interface CloseOptions {
  /** How long uploads in flight may take to finish, in milliseconds. Default: `SHUTDOWN_GRACE_MS`. */
  readonly graceMs?: number;
}

/** A server with its own listener. */
export interface Server extends AsyncDisposable {
  /** Listens on `HOST` and `PORT`. Resolves to an address that a client on this machine can use. */
  listen(): Promise<{ readonly url: string }>;
  /** Stops listening and lets uploads in flight finish. */
  close(options?: CloseOptions): Promise<void>;
}

/** A router for an Express 5 app. */
export type UploadRouter = Router & {
  /** Rejects new requests, lets uploads in flight finish, then releases sockets and timers. */
  close(options?: CloseOptions): Promise<void>;
};

const loadedBy = new WeakMap<Settings, { readonly config: Config; readonly secrets: Secrets }>();

/**
 * Reads settings from environment variables, such as `process.env`.
 *
 * @throws ConfigError with all problems at once.
 */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): Settings {
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new ConfigError(loaded.problems);
  const settings: Settings = Object.freeze({ warnings: loaded.warnings });
  loadedBy.set(settings, loaded);
  return settings;
}

/** Makes the whole server: the API, health checks and, without a token, the sandbox with its page. */
export function createServer(options: Options): Server {
  const { config, secrets, logger, embedding } = toParts(options);
  let starting: Promise<RunningServer> | null = null;
  const resources = new AsyncDisposableStack();

  const start = async (): Promise<RunningServer> => {
    const sandbox = config.sandbox ? resources.use(await runSandbox(config, secrets)) : null;
    const running = await startServer({ ...(sandbox ?? { config, secrets }), logger, embedding });
    if (sandbox === null) running.context.probeLeadway();
    return running;
  };
  const close = async ({ graceMs = config.shutdownGraceMs }: CloseOptions = {}): Promise<void> => {
    const running = await starting?.catch(() => null);
    await running?.drain({ delayMs: config.shutdownDelayMs, graceMs });
    await resources.disposeAsync();
  };
  return {
    async listen() {
      if (starting !== null) throw new TypeError('listen() can be called once');
      starting = start();
      return { url: (await starting).url };
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/**
 * Makes a router with the API, to be mounted at its own path and before body parsers. It ignores `BASE_PATH`,
 * `HOST` and `PORT`, and has no health checks, metrics or traces: those are the app's. The limits of a connection,
 * `Expect: 100-continue` and errors of Node's parser need {@link createServer}.
 *
 * @throws ConfigError without a token: the sandbox needs {@link createServer}.
 */
export function createUploadRouter(options: Options): UploadRouter {
  const { config, secrets, logger, embedding } = toParts(options);
  if (config.sandbox) {
    throw new ConfigError([{ name: 'LEADWAY_TOKEN', problem: 'must be set: a router has no sandbox' }]);
  }
  const unused = Object.entries({
    ADMIN_PORT: config.admin,
    LISTEN: config.listen.path,
    OTEL_EXPORTER_OTLP_ENDPOINT: config.tracesUrl,
  }).filter(([, value]) => value);
  for (const [name] of unused) {
    logger.warn(`${name} has no effect in a mounted router: createServer has listeners, metrics and traces`);
  }
  const context = createContext({ ...config, basePath: '' }, secrets, logger, embedding);
  context.lifecycle.markReady();
  const close = async ({ graceMs = config.shutdownGraceMs }: CloseOptions = {}): Promise<void> => {
    context.lifecycle.markDraining();
    await whenIdle(context, graceMs);
    await context[Symbol.asyncDispose]();
  };
  return Object.assign(createUploadApp(context), { close });
}

function toParts({ settings, logger, authenticate, beforeUpload, afterUpload }: Options) {
  const loaded = loadedBy.get(settings);
  if (loaded === undefined) throw new TypeError('settings must come from settingsFromEnv()');
  const { config, secrets } = loaded;
  return {
    config,
    secrets,
    logger: createLogger({ level: config.log.level, ...(logger !== undefined && { target: logger }) }),
    embedding: {
      // Requests come through Express in either case.
      ...(authenticate && { authenticate: (req: IncomingMessage) => authenticate(req as Request) }),
      ...(beforeUpload && { beforeUpload }),
      ...(afterUpload && { afterUpload }),
    },
  };
}
