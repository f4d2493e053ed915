import { LOCATION } from './form.ts';
import { writeNginxConfig } from './peers/nginx.ts';
import { has, nodeCommand } from './processes.ts';

/** The token that every target adds; the check looks for it. */
export const TOKEN = 'pit-00000000-0000-4000-8000-00000000bench';

/** How a target is started. */
export interface Launch extends Partial<Disposable> {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What can be measured. */
export interface Target {
  readonly name: string;
  /** In tables and charts. */
  readonly title: string;
  /** Where uploads are posted; `/initiate` below it asks for a signed URL. */
  readonly path: string;
  /** Whether it refuses what is not of its type. */
  readonly hasChecks: boolean;
  /** Whether it can be run here. */
  isInstalled(): boolean;
  launch(port: number, upstreamPort: number, nodeOptions: readonly string[]): Launch;
}

/** The one that the others are compared to. */
export const BASELINE = 'bare-pipe';
/** Our server. */
export const OURS = 'leadway-bff';

/** Leadway's own path, which who checks nothing passes on. */
export const LEADWAY_PATH = '/conversations/messages/upload';

/** All targets, the baseline first and ours last. */
export const TARGETS: readonly Target[] = [
  nodePeer(BASELINE, 'bare pipe, no checks'),
  {
    name: 'nginx',
    title: 'nginx unbuffered, no checks',
    path: LEADWAY_PATH,
    hasChecks: false,
    isInstalled: () => has('nginx'),
    launch(port, upstreamPort) {
      const config = writeNginxConfig({ port, backends: [upstreamPort], token: TOKEN });
      return { ...config, env: {} };
    },
  },
  nodePeer('http-proxy-middleware', 'http-proxy-middleware, no checks'),
  nodePeer('tutorial', 'multer in memory + axios'),
  {
    name: OURS,
    title: 'this server, all checks',
    path: '/api/messages/upload',
    hasChecks: true,
    isInstalled: () => true,
    launch: (port, upstreamPort, nodeOptions) => ({
      command: nodeCommand('server/main.ts', nodeOptions),
      env: ourEnvironment(port, upstreamPort),
    }),
  },
];

function nodePeer(name: string, title: string): Target {
  return {
    name,
    title,
    path: LEADWAY_PATH,
    hasChecks: false,
    isInstalled: () => true,
    launch: (port, upstreamPort, nodeOptions) => ({
      command: nodeCommand(`bench/peers/${name}.ts`, nodeOptions),
      env: { NODE_ENV: 'production', PORT: String(port), UPSTREAM_PORT: String(upstreamPort), TOKEN },
    }),
  };
}

/**
 * As in production, but for the limits that would refuse the load. The access log goes to /dev/null, so that
 * what it costs to write is counted.
 */
function ourEnvironment(port: number, upstreamPort: number): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    SANDBOX: 'off',
    AUTH: 'none',
    LEADWAY_BASE_URL: `http://127.0.0.1:${upstreamPort}`,
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

/** The target of that name; an unknown name is a programmer's mistake. */
export function targetNamed(name: string): Target {
  const target = TARGETS.find((one) => one.name === name);
  if (target === undefined) throw new TypeError(`no target is called ${name}`);
  return target;
}
