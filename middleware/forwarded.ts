import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import type { Config } from '../server/config/config.ts';
import type { AppContext } from '../server/context.ts';
import type { Notice } from '../server/lifecycle.ts';

/** Headers of proxies that this server reads, from trusted ones. */
const FORWARDED_HEADERS = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-prefix'];

/** At most eight segments; a value that is longer, or holds anything else, did not come from a proxy's settings. */
const PREFIX = /^(\/[A-Za-z0-9._~-]+){1,8}$/;
const DOT_SEGMENT = /\/\.{1,2}(\/|$)/;
const MAX_SHOWN_CHARACTERS = 100;

type TrustFunction = (address: string | undefined, distance: number) => boolean;

/**
 * Sets `trust proxy`. Everyone who connects to a unix socket counts as a proxy of `TRUST_PROXY`: they have no address;
 * file permissions decide who can connect.
 */
export function setTrustProxy(
  app: Application,
  { trustProxy, listen }: Pick<Config, 'trustProxy' | 'listen'>,
): void {
  app.set('trust proxy', trustProxy);
  if (trustProxy === false || listen.path === undefined) return;
  const trust = app.get('trust proxy fn') as TrustFunction;
  app.set('trust proxy', (address: string, distance: number) => distance === 0 || trust(address, distance));
}

/** Whether the peer is a proxy that `TRUST_PROXY` covers. */
export function isFromTrustedProxy(req: Request): boolean {
  const trust = req.app.get('trust proxy fn') as TrustFunction;
  return trust(req.socket.remoteAddress ?? '', 0);
}

/** The address of the peer, as `TRUST_PROXY` takes it; undefined on a unix socket, where it has none. */
function peerAddress(req: Request): string | undefined {
  return req.socket.remoteAddress?.replace(/^::ffff:/, '');
}

/** The setting that makes the peer a trusted proxy. */
export function settingToTrust(req: Request): string {
  return `TRUST_PROXY=${peerAddress(req) ?? 1}`;
}

/**
 * Logs, once, that a header of a proxy came from an address that is not trusted: most likely `TRUST_PROXY` is
 * missing, and all users count as one client.
 */
export function createForwardedNotice({
  config,
  logger,
  lifecycle,
}: Pick<AppContext, 'config' | 'logger' | 'lifecycle'>): RequestHandler {
  let notice: Notice | null = null;
  // Every user would be 401, and nothing would say why.
  const headers =
    config.auth.kind === 'header'
      ? [...FORWARDED_HEADERS, config.auth.userHeader.toLowerCase()]
      : FORWARDED_HEADERS;
  lifecycle.addNotice(() => notice);
  return function forwardedNotice(req: Request, _res: Response, next: NextFunction) {
    if (notice === null) {
      const header = headers.find((name) => req.headers[name] !== undefined);
      if (header !== undefined && !isFromTrustedProxy(req)) {
        const peer = peerAddress(req);
        const fix = `If it is your proxy, set ${settingToTrust(req)}`;
        const detail =
          peer === undefined
            ? `${header} from the unix socket is ignored, since TRUST_PROXY is not set. ${fix}`
            : `${header} from ${peer} is ignored, since TRUST_PROXY does not cover that address. ${fix}, or its network`;
        notice = { text: 'Headers of a proxy are ignored, since it is not trusted', detail };
        logger.warn({ header, peer: peer ?? 'unix socket' }, detail);
      }
    }
    next();
  };
}

/** Addresses in a response that clients use as they are. */
interface OwnUrls {
  readonly contentUrl: string;
  readonly completeUrl: string;
}

/** Puts the prefix of a request in front of our own URLs in a response. */
export type AddPrefix = <T extends OwnUrls>(response: T) => T;

/** Reads the prefix of a request. */
export type ReadPrefix = (req: Request) => AddPrefix;

/**
 * Reads `X-Forwarded-Prefix`, the path that a trusted proxy strips in front of ours. Anything that is not a plain
 * path is ignored and logged once: clients send uploads to the URLs that it ends up in.
 *
 * @param mountPathOf The path at which a router is mounted, which follows the prefix.
 */
export function createPrefixReader(
  { logger }: Pick<AppContext, 'logger'>,
  mountPathOf: (req: Request) => string = () => '',
): ReadPrefix {
  let isLogged = false;
  const prefixOf = (req: Request): string => {
    const value = req.headers['x-forwarded-prefix'];
    if (typeof value !== 'string' || value === '' || !isFromTrustedProxy(req)) return '';
    if (PREFIX.test(value) && !DOT_SEGMENT.test(value)) return value;
    if (!isLogged) {
      isLogged = true;
      logger.warn(
        { prefix: value.slice(0, MAX_SHOWN_CHARACTERS) },
        'X-Forwarded-Prefix is ignored: it must be one path of one to eight plain segments, such as /uploads',
      );
    }
    return '';
  };
  return (req) => {
    const prefix = prefixOf(req) + mountPathOf(req);
    return (response) =>
      prefix === ''
        ? response
        : {
            ...response,
            contentUrl: prefix + response.contentUrl,
            completeUrl: prefix + response.completeUrl,
          };
  };
}
