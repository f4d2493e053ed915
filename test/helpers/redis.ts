import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient } from '@redis/client';
import { freePort } from './free-port.ts';
import { needsPrograms } from './programs.ts';
import { createTempFile } from './temp-file.ts';

/** A real Redis of the test's own, on a free port, that keeps nothing on disk. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Lets it hang: connections stay open and get no reply. */
  pause(): void;
  resume(): void;
  /** Sends one command of the test's own. */
  command(...words: string[]): Promise<unknown>;
}

/** Where the program is; Debian's package puts it on the path. */
const PROGRAM = 'redis-server';

/** A replica writes what it gets from its master to disk, unless told otherwise. */
const NO_DISK = ['--save', '', '--appendonly', 'no', '--repl-diskless-load', 'swapdb'];

/** Skips the tests of a suite, and says so aloud, on a machine without Redis. */
export function needsRedis(suite: Mocha.Suite): void {
  suite.beforeAll(function askForRedis() {
    needsPrograms(this, PROGRAM);
  });
}

/** Starts a Redis; hold it with `await using`. `args` are its own settings, such as `--requirepass x`. */
export async function startRedis(...args: string[]): Promise<TestRedis> {
  const port = await freePort();
  const password = args[args.indexOf('--requirepass') + 1] ?? '';
  const user = args.includes('--requirepass') ? `:${password}@` : '';
  const url = `redis://${user}127.0.0.1:${port}`;
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, ['--bind', '127.0.0.1', '--port', String(port), ...NO_DISK, ...args], {
      stdio: 'ignore',
    });
    await untilOpen(port);
  };
  const kill = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url,
    port,
    kill,
    start,
    pause: () => child?.kill('SIGSTOP'),
    resume: () => child?.kill('SIGCONT'),
    command: (...words) => sendCommand(url, words),
    [Symbol.asyncDispose]: kill,
  };
}

async function sendCommand(url: string, words: string[]): Promise<unknown> {
  const client = await createClient({ url, RESP: 2 })
    .on('error', () => {})
    .connect();
  try {
    return await client.sendCommand(words);
  } finally {
    client.destroy();
  }
}

/** The name that Sentinels of tests know their master by. */
export const MASTER_NAME = 'leadway';

/** A real Sentinel, which makes a replica of `master` the new master soon after that has died. */
export async function startSentinel(
  master: TestRedis,
  password: string | null = null,
): Promise<Pick<TestRedis, 'port' | 'command'> & AsyncDisposable> {
  const port = await freePort();
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${MASTER_NAME} 300`,
    `sentinel failover-timeout ${MASTER_NAME} 2000`,
    ...(password === null
      ? []
      : [`requirepass ${password}`, `sentinel auth-pass ${MASTER_NAME} ${password}`]),
  ];
  // Sentinel writes what it learns into its configuration.
  const config = await createTempFile(lines.join('\n'));
  const child = spawn(PROGRAM, [config.path, '--sentinel'], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  await untilOpen(port);
  return {
    port,
    command: (...words) => sendCommand(`redis://127.0.0.1:${port}`, words),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      await config[Symbol.asyncDispose]();
    },
  };
}

async function untilOpen(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
