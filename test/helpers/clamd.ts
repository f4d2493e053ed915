import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ping } from '../../server/scan/clamd.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './programs.ts';

/** The text that every scanner takes for malware; in two parts, so that no scanner takes this file for it. */
export const EICAR = Buffer.from(
  `X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-${'STANDARD-ANTIVIRUS-TEST-FILE'}!$H+H*`,
);

/** A clamd of the test's own. */
export interface TestClamd extends AsyncDisposable {
  /** For `CLAMAV_URL`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Lets it hang: connections stay open and nothing is read. */
  pause(): void;
  resume(): void;
}

/**
 * Starts a real clamd on a free port, whose database knows EICAR; hold it with `await using`.
 *
 * @param settings Lines of its configuration.
 * @param database More files of its database, by name.
 */
export async function startClamd(
  settings: readonly string[] = [],
  database: Readonly<Record<string, string>> = {},
): Promise<TestClamd> {
  const folder = await mkdtemp(join(tmpdir(), 'clamd-'));
  await chmod(folder, 0o755); // clamd may run as another user
  const port = await freePort();
  // Anywhere in a file of any kind: the name, the type 0 for all, the offset `*`, the bytes.
  await writeFile(join(folder, 'eicar.ndb'), `Eicar-Test-Signature:0:*:${EICAR.toString('hex')}\n`);
  for (const [name, text] of Object.entries(database)) await writeFile(join(folder, name), text);
  await writeFile(
    join(folder, 'clamd.conf'),
    [
      `DatabaseDirectory ${folder}`,
      `TCPSocket ${port}`,
      'TCPAddr 127.0.0.1',
      'Foreground yes',
      'FixStaleSocket yes',
      'SelfCheck 0',
      `TemporaryDirectory ${folder}`,
      ...settings,
      '',
    ].join('\n'),
  );
  const program = findProgram('clamd');
  if (program === undefined) throw new Error('clamd is not installed');
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const started = spawn(program, ['--config-file', join(folder, 'clamd.conf')], { stdio: 'ignore' });
    child = started;
    const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
    for (;;) {
      if (started.exitCode !== null) throw new Error(`clamd ended with ${started.exitCode}`);
      try {
        return await ping(address);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const kill = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `tcp://127.0.0.1:${port}`,
    port,
    get pid() {
      return child?.pid;
    },
    kill,
    start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What {@link startFakeClamd} does with a stream once it has read `afterBytes` of it, or all of it. */
export interface FakeClamdOptions {
  /** The response without its NUL; null for none. */
  readonly response: string | null;
  /** NaN: never responds. */
  readonly afterBytes?: number;
  /** Takes no more connections once it has closed one. */
  readonly dies?: boolean;
}

/** Speaks just enough of clamd's protocol to do what a real one does seldom; hold it with `await using`. */
export async function startFakeClamd({
  response,
  afterBytes = Number.POSITIVE_INFINITY,
  dies = false,
}: FakeClamdOptions): Promise<{ readonly url: string } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = 0;
    let last = Buffer.alloc(0);
    const respond = (line: string | null): void => {
      if (dies) server.close();
      if (line === null) socket.resetAndDestroy();
      else socket.end(`${line}\0`);
    };
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (received === 0 && chunk.includes('zPING\0')) return respond('PONG');
      received += chunk.length;
      last = Buffer.concat([last, chunk.subarray(-4)]).subarray(-4);
      if (Number.isNaN(afterBytes)) return;
      const isWhole = received > 14 && last.equals(Buffer.alloc(4));
      if (isWhole || received >= afterBytes) respond(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `tcp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) server.close();
    },
  };
}
