import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { matchesOrigin } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { PATHS } from '../leadway/client.ts';

/** What an outbound request is for. */
export type Endpoint = 'upload' | 'initiate' | 'complete' | 'passthrough' | 'storage' | 'issuer';

/** Watches outbound requests. */
export interface UpstreamWatcher {
  /** Called before anything is sent; what it returns is called once, with null when no response came. */
  requestStarted(endpoint: Endpoint, method: string): (status: number | null) => void;
}

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
  [PATHS.upload, 'upload'],
  [PATHS.initiate, 'initiate'],
  [PATHS.complete, 'complete'],
]);

/**
 * Calls `watcher` for each request of this process to Leadway, storage or the token issuer, until disposed. It listens
 * on the channels that Node and undici publish on, so the code that sends requests knows nothing of it.
 */
export function watchUpstreamRequests(config: Config, watcher: UpstreamWatcher): Disposable {
  const endpointOf = createEndpointOf(config);
  const running = new WeakMap<object, (status: number | null) => void>();
  const start = (key: object, method: string, origin: string, path: string): void => {
    const endpoint = endpointOf(method, origin, path);
    if (endpoint !== null) running.set(key, watcher.requestStarted(endpoint, method));
  };
  const end = (key: object, status: number | null): void => {
    const settle = running.get(key);
    running.delete(key);
    settle?.(status);
  };
  const channels: readonly (readonly [string, (message: unknown) => void])[] = [
    [
      'http.client.request.created',
      (message) => {
        const { request } = message as { request: ClientRequest };
        start(request, request.method, `${request.protocol}//${hostOf(request)}`, request.path);
        request.once('close', () => end(request, null));
      },
    ],
    [
      'http.client.response.finish',
      (message) => {
        const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
        end(request, response.statusCode ?? null);
      },
    ],
    [
      'undici:request:create',
      (message) => {
        const { request } = message as { request: UndiciRequest };
        start(request, request.method, String(request.origin), request.path);
      },
    ],
    [
      'undici:request:headers',
      (message) => {
        const { request, response } = message as { request: object; response: { statusCode: number } };
        end(request, response.statusCode);
      },
    ],
    ['undici:request:error', (message) => end((message as { request: object }).request, null)],
  ];
  for (const [name, listener] of channels) subscribe(name, listener);
  return {
    [Symbol.dispose]() {
      for (const [name, listener] of channels) unsubscribe(name, listener);
    },
  };
}

interface UndiciRequest {
  readonly method: string;
  readonly origin: string | URL;
  readonly path: string;
}

/**
 * The host that a request is meant for; `request.host` has no port, and through a proxy it is the proxy's. Headers that
 * were given as a list are in Node's text of the headers alone.
 */
function hostOf(request: ClientRequest & { readonly _header?: string }): string {
  const header = request.getHeader('host') ?? /\r\nhost: *([^\r]+)/i.exec(request._header ?? '')?.[1];
  return typeof header === 'string' ? header : request.host;
}

function createEndpointOf({ leadway, storageOrigins, auth }: Config) {
  const issuer = auth.kind === 'jwt' ? new Set([auth.issuer, auth.jwksUrl?.href].map(toOrigin)) : new Set();
  return function endpointOf(method: string, rawOrigin: string, target: string): Endpoint | null {
    const origin = toOrigin(rawOrigin);
    if (origin === null) return null;
    if (origin === leadway.baseUrl.origin) {
      // HEAD is the probe that only opens a connection: passed-through HEAD requests go out as GET.
      if (method === 'HEAD') return null;
      const path = target.replace(/^https?:\/\/[^/]+/, '').replace(/\?.*/, '');
      return ENDPOINTS.get(path) ?? 'passthrough';
    }
    if (issuer.has(origin)) return 'issuer';
    return storageOrigins.some((pattern) => matchesOrigin(pattern, new URL(origin))) ? 'storage' : null;
  };
}

function toOrigin(url: string | undefined): string | null {
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : null;
}
