import { existsSync } from 'node:fs';
import process from 'node:process';
import { isatty } from 'node:tty';
import { AdminListenError } from './admin.ts';
import { packageVersion } from './assets.ts';
import { type Command, parseCommandLine, USAGE } from './command-line.ts';
import { type Config, describeConfig, formatProblems, loadConfig, type Secrets } from './config/config.ts';
import { explainListenError } from './http/listen.ts';
import { createLogger, createPrettyStream, type Logger } from './logger.ts';
import { TracingNotInstalled } from './observability/tracing-packages.ts';
import { runSandbox } from './sandbox-mode.ts';
import { type RunningServer, type ServerOptions, startServer } from './server.ts';
import { listenForSignals } from './signals.ts';

/** `EX_CONFIG` of sysexits.h: a restart does not help. */
const EXIT_CONFIG = 78;

// At SIGUSR1 Node opens its inspector, through which everyone on the machine can run code in this process. A listener prevents
// that; the one in `run` logs the signal.
process.on('SIGUSR1', () => {});

const parsed = parseCommandLine(process.argv.slice(2));
if ('problem' in parsed) rejectStart(parsed.problem);
else if (parsed.command.name === 'help') process.stdout.write(USAGE);
else if (parsed.command.name === 'version') process.stdout.write(`${packageVersion()}\n`);
else await runWithSettings(parsed.command);

function rejectStart(problem: string): void {
  process.stderr.write(`${problem}\n`);
  process.exitCode = EXIT_CONFIG;
}

async function runWithSettings(command: Command): Promise<void> {
  if (process.env['NODE_ENV'] !== 'production' && existsSync('.env')) process.loadEnvFile('.env');
  const loaded = loadConfig(process.env);
  if (!loaded.ok) {
    rejectStart(formatProblems(loaded.problems));
  } else if (command.name === 'self-test') {
    process.exitCode = await selfTest(loaded.config, loaded.secrets, command);
  } else if (command.name === 'check-config') {
    for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(`${describeConfig(loaded)}\n`);
  } else {
    await run(loaded.config, loaded.secrets, loaded.warnings);
  }
}

/** Returns the exit code. Loaded only if needed. */
async function selfTest(
  config: Config,
  secrets: Secrets,
  { json, conversationId }: Extract<Command, { name: 'self-test' }>,
): Promise<number> {
  const { runSelfTest } = await import('./self-test/self-test.ts');
  const { formatReport, toJsonReport } = await import('./self-test/report.ts');
  await using sandbox = config.sandbox ? await runSandbox(config, secrets) : null;
  const target = sandbox ?? { config, secrets };
  const report = await runSelfTest(target.config, target.secrets, { conversationId });
  process.stdout.write(json ? toJsonReport(report) : formatReport(report));
  return report.ok ? 0 : 1;
}

/** The life of the process: build, listen, wait for a signal, drain, exit. */
async function run(config: Config, secrets: Secrets, warnings: readonly string[]): Promise<void> {
  // The reader of our output may disconnect; uploads matter more than their log.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  const pretty = process.stdout.isTTY ? await createPrettyStream() : null;
  const logger = createLogger({
    level: config.log.level,
    ...(pretty !== null && { destination: pretty.stream }),
  });
  for (const warning of warnings) logger.warn(warning);
  let running: RunningServer | null = null;
  using signals = listenForSignals({
    isOnTerminal: isatty(0) || isatty(1),
    onReload: () => void reload(running, logger),
    onInspect: () =>
      logger.warn('SIGUSR1 ignored: it would open the inspector; start Node with --inspect instead'),
  });
  await using sandbox = config.sandbox ? await runSandbox(config, secrets) : null;
  const server = await listen({ ...(sandbox ?? { config, secrets }), logger });
  if (server === null) return;
  running = server;
  logger.info({ url: server.listensOn, basePath: config.basePath }, `listening on ${server.listensOn}`);
  if (server.adminUrl !== null)
    logger.info({ adminUrl: server.adminUrl }, `metrics are at ${server.adminUrl}/metrics`);
  const proxy = sandbox === null ? server.context.proxyFor(config.leadway.baseUrl) : null;
  if (proxy !== null)
    logger.info({ proxy: proxy.shown }, `Leadway is reached through the proxy ${proxy.shown}`);
  if (sandbox === null) server.context.probeLeadway();
  else sandbox.introduce(server.url);

  const signal = await signals.stop;
  logger.info({ signal }, 'shutting down: uploads in flight may finish');
  const { shutdownDelayMs: delayMs, shutdownGraceMs: graceMs } = config;
  const isClean = await server.drain({ delayMs, graceMs, hurry: signals.hurry });
  if (isClean) logger.info('stopped');
  else if (signals.hurry.aborted) logger.warn('stopped at once by a second signal');
  else logger.warn('stopped before every upload had finished: SHUTDOWN_GRACE_MS had passed');
  process.exitCode = isClean ? 0 : 1;
  exitSoon();
}

async function reload(server: RunningServer | null, logger: Logger): Promise<void> {
  const file = (await server?.context.rereadTokens()) ?? null;
  if (file !== null) logger.info({ file }, 'SIGHUP: read the token file again');
  else logger.info('SIGHUP: no token file to read again; other settings need a restart');
}

async function listen(options: ServerOptions): Promise<RunningServer | null> {
  const { config } = options;
  try {
    return await startServer(options);
  } catch (error) {
    if (error instanceof TracingNotInstalled) {
      rejectStart(error.message);
      return null;
    }
    const isAdmin = error instanceof AdminListenError && config.admin !== null;
    const problem = isAdmin
      ? explainListenError(error.cause, config.admin, 'ADMIN_')
      : explainListenError(error, config.listen);
    if (problem === null) throw error;
    rejectStart(problem);
    // A port may be free later; what is wrong with the path of a socket stays so.
    if (isAdmin || config.listen.path === undefined) process.exitCode = 1;
    return null;
  }
}

/** The process ends when nothing is left to do. If something keeps it alive, it is made to exit. */
function exitSoon(): void {
  const timer = setTimeout(() => process.exit(), 2_000);
  timer.unref();
}
