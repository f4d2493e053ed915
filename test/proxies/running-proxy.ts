import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { freePort } from '../helpers/free-port.ts';
import { findProgram } from '../helpers/programs.ts';
import { writeCertificate } from './certificate.ts';
import type { ProxySetup } from './proxies.ts';

/** A proxy in its own process, in front of a server. */
export interface RunningProxy extends AsyncDisposable {
  readonly url: string;
  /** The certificate that clients must trust; null without TLS. */
  readonly ca: string | null;
  /** What the proxy has logged so far. */
  readonly log: string;
}

/** A file and not a pipe: Apache opens its log by name. */
const LOG = 'proxy.log';

/** Starts a proxy on a free port in front of the server at `serverUrl` (or `unix:/path`); hold it with `await using`. */
export async function startProxy(
  setup: ProxySetup,
  serverUrl: string,
  hasTls: boolean,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'leadway-bff-proxy-'));
  await chmod(folder, 0o755); // the workers may run as another user
  const certificate = hasTls ? writeCertificate(folder) : null;
  const port = await freePort();
  const upstream = serverUrl.startsWith('unix:') ? serverUrl : new URL(serverUrl).host;
  const { files, args } = setup.command({ port, upstream, certificate, folder });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);

  const logFile = await open(join(folder, LOG), 'a');
  const child = spawn(findProgram(setup.program) ?? setup.program, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', logFile.fd, logFile.fd],
  });
  const exited = once(child, 'exit');
  await logFile.close();
  const readLog = (): string => readFileSync(join(folder, LOG), 'utf8');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true });
  };
  if (!(await isListening(port, child))) {
    const log = readLog();
    await stop();
    throw new Error(`${setup.name} did not start:\n${log}`);
  }
  return {
    url: hasTls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    ca: certificate?.ca ?? null,
    get log() {
      return readLog();
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Waits until the port is open; false if the process ended first. */
async function isListening(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}
