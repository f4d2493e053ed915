import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/helpers/free-port.ts';
import { LOCATION } from './form.ts';
import { has } from './machine.ts';
import { Program } from './processes.ts';

/** The token that every target adds. */
export const TOKEN = 'pit-00000000-0000-4000-8000-00000000bench';

/** Where a target finds the upstream. */
export interface Upstream {
  /** `http://127.0.0.1:1234`, or an https URL. */
  readonly origin: string;
  /** The file of the authority that signed its certificate. */
  readonly authorityFile: string | null;
}

/** How a target is started. */
export interface Launch extends Partial<Disposable> {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What can be measured. */
export interface Target {
  readonly name: string;
  /** In the README's table. */
  readonly title: string;
  /** Where uploads are posted; `/initiate` below it returns a signed URL. */
  readonly path: string;
  /** Whether it rejects files of a wrong type. */
  readonly hasChecks: boolean;
  /** Larger files are left out: they would take minutes. */
  readonly maxFileBytes: number;
  isInstalled(): boolean;
  launch(port: number, upstream: Upstream): Launch;
}

/** A target that listens. */
export interface RunningTarget extends AsyncDisposable {
  readonly target: Target;
  readonly port: number;
  readonly pids: readonly number[];
}

/** What all ratios refer to. */
export const BASELINE = 'bare-pipe';
/** Our server. */
export const OURS = 'leadway-bff';
const LEADWAY_PATH = '/conversations/messages/upload';

/** All targets, the baseline first and ours last. */
export const TARGETS: readonly Target[] = [
  nodePeer(BASELINE, 'bare pipe, no checks'),
  {
    ...nodePeer('nginx', 'nginx unbuffered, no checks'),
    isInstalled: () => has('nginx'),
    launch: launchNginx,
  },
  nodePeer('http-proxy-middleware', 'http-proxy-middleware, no checks'),
  { ...nodePeer('tutorial', 'multer in memory + axios'), maxFileBytes: 10_000_000 },
  ourServer(OURS, 'this server, all checks', ['dist/main.js']),
];

/** The upstream itself: what the load is without a proxy. */
export const NO_PROXY: Target = nodePeer('no proxy', 'no proxy');

function nodePeer(name: string, title: string): Target {
  return {
    name,
    title,
    path: LEADWAY_PATH,
    hasChecks: false,
    maxFileBytes: Number.POSITIVE_INFINITY,
    isInstalled: () => true,
    launch: (port, { origin, authorityFile }) => ({
      command: [process.execPath, 'bench/peers.ts', name],
      env: { ...shared(port, authorityFile), UPSTREAM: origin, TOKEN },
    }),
  };
}

/** Our server as in production, without the limits that would reject the load. The access log goes to /dev/null. */
export function ourServer(name: string, title: string, args: readonly string[]): Target {
  return {
    ...nodePeer(name, title),
    path: '/api/messages/upload',
    hasChecks: true,
    launch: (port, upstream) => ({
      command: [process.execPath, ...args],
      env: ourEnvironment(port, upstream),
    }),
  };
}

/** Our server of another checkout: built, or its sources. */
export function otherCheckout(folder: string): Target {
  const main = ['dist/main.js', 'server/main.ts', 'server/main.js']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path));
  if (main === undefined) throw new Error(`--against ${folder}: no server there`);
  return ourServer('against', `the server of ${folder}`, [main]);
}

/** The settings of {@link ourServer}. */
export function ourEnvironment(
  port: number,
  { origin, authorityFile }: Upstream,
): Readonly<Record<string, string>> {
  return {
    ...shared(port, authorityFile),
    HOST: '127.0.0.1',
    SANDBOX: 'off',
    AUTH: 'none',
    LEADWAY_BASE_URL: origin,
    LEADWAY_TOKEN: TOKEN,
    LEADWAY_LOCATION_ID: LOCATION,
    TICKET_SECRETS: 'only-for-the-benchmark-0123456789abcdef',
    FORWARD_MAX_BYTES: String(1024 ** 3),
    FORWARD_FALLBACK_MAX_BYTES: String(1024 ** 3),
    RATE_LIMIT_MAX: '1000000',
    MAX_CONCURRENT_UPLOADS: '1024',
    MAX_CONCURRENT_UPLOADS_PER_CALLER: '1024',
  };
}

function shared(port: number, authorityFile: string | null): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: String(port),
    ...(authorityFile !== null && { NODE_EXTRA_CA_CERTS: authorityFile }),
  };
}

/** An nginx of one process that streams in both directions. */
function launchNginx(port: number, { origin }: Upstream): Launch {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  const path = join(folder, 'nginx.conf');
  const { protocol, host } = new URL(origin);
  // As root, which it also is in its own network, it would give its folders to a user that is not there.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    path,
    `daemon off;
master_process off;
${user}
worker_rlimit_nofile 8192;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream leadway {
    server ${host};
    keepalive 256;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    keepalive_requests 1000000;
    location / {
      proxy_pass ${protocol}//leadway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer ${TOKEN}";
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }
}
`,
  );
  return {
    command: ['nginx', '-p', folder, '-e', 'stderr', '-c', path],
    env: {},
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Starts `target` on its core and waits until it takes connections. */
export async function startTarget(target: Target, upstream: Upstream): Promise<RunningTarget> {
  const port = await freePort();
  const launch = target.launch(port, upstream);
  const program = new Program('target', launch.command, launch.env);
  const stop = async (): Promise<void> => {
    await program[Symbol.asyncDispose]();
    launch[Symbol.dispose]?.();
  };
  if (!(await isAccepting(program, port))) {
    await stop();
    throw new Error(`${target.name} does not listen`);
  }
  return { target, port, pids: [program.pid], [Symbol.asyncDispose]: stop };
}

/** Waits up to a minute: the machine may be busy. */
async function isAccepting(program: Program, port: number): Promise<boolean> {
  const deadline = performance.now() + 60_000;
  while (!(await accepts(port))) {
    if (program.hasEnded || performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
