import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Part } from './processes.ts';

/** The token that every target adds; the check looks for it. */
export const TOKEN = 'pit-00000000-0000-4000-8000-00000000bench';

/** What can be measured. */
export interface Target {
  readonly name: string;
  readonly description: string;
  /** Where uploads are posted. */
  readonly path: string;
  /** Whether it refuses what is not of its type. */
  readonly hasChecks: boolean;
  readonly script: string;
  env(port: number, upstreamPort: number): Record<string, string>;
}

/** The one that the others are compared to. */
export const BASELINE = 'bare-pipe';
/** Our server. */
export const OURS = 'leadway-bff';

/** All targets, the baseline first. */
export const TARGETS: readonly Target[] = [
  {
    name: BASELINE,
    description: 'req.pipe(http.request) that injects the token and checks nothing',
    path: '/conversations/messages/upload',
    hasChecks: false,
    script: 'bench/peers/bare-pipe.ts',
    env: (port, upstreamPort) => ({
      PORT: String(port),
      UPSTREAM_PORT: String(upstreamPort),
      TOKEN,
    }),
  },
  {
    name: OURS,
    description: 'this server, every check on',
    path: '/api/messages/upload',
    hasChecks: true,
    script: 'server/main.ts',
    // As in production, but for the limits that would refuse the load. The access log goes to /dev/null, so
    // that what it costs to write is counted.
    env: (port, upstreamPort) => ({
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      SANDBOX: 'off',
      AUTH: 'none',
      LEADWAY_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
      LEADWAY_TOKEN: TOKEN,
      LEADWAY_LOCATION_ID: 'benchLocation0000001',
      TICKET_SECRETS: 'only-for-the-benchmark-0123456789abcdef',
      FORWARD_MAX_BYTES: String(1024 ** 3),
      FORWARD_FALLBACK_MAX_BYTES: String(1024 ** 3),
      RATE_LIMIT_MAX: '1000000',
      MAX_CONCURRENT_UPLOADS: '1024',
      MAX_CONCURRENT_UPLOADS_PER_CALLER: '1024',
    }),
  },
];

/** A target that runs. */
export interface RunningTarget extends AsyncDisposable {
  readonly target: Target;
  readonly port: number;
  readonly pid: number;
}

/** Starts `target` on a core of its own and waits until it takes connections. */
export async function startTarget(
  target: Target,
  upstreamPort: number,
  nodeOptions: readonly string[] = [],
): Promise<RunningTarget> {
  const port = await freePort();
  const part = new Part('target', [...nodeOptions, target.script], target.env(port, upstreamPort), false);
  const deadline = performance.now() + 10_000;
  while (!(await accepts(port))) {
    if (part.hasEnded || performance.now() > deadline) throw new Error(`${target.name} does not listen`);
    await sleep(20);
  }
  return { target, port, pid: part.pid, [Symbol.asyncDispose]: () => part[Symbol.asyncDispose]() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
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
