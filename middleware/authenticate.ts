import { isIP } from 'node:net';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import type { Authenticator, Client } from '../server/auth/authenticator.ts';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { isSafeMethod } from './check-origin.ts';
import { isFromTrustedProxy } from './forwarded.ts';

const CLIENT = Symbol('client');

type WithClient = Request & { [CLIENT]?: Client };

/** An IPv6 subscriber has a whole /56, so single addresses say nothing. */
const IPV6_PREFIX_BITS = 56;

/** Authenticates the client before any of the body is read. */
export function authenticate({
  authenticator,
  userHash,
}: Pick<AppContext, 'authenticator' | 'userHash'>): RequestHandler {
  return async function authenticate(req: WithClient, _res: Response, next: NextFunction) {
    const client = await identify(authenticator, req);
    if (client.isByCookie && !isSafeMethod(req.method)) assertSentByPage(req);
    req[CLIENT] = client;
    addLogFields(req, { userHash: userHash(client.id) });
    next();
  };
}

/** Who sends `req`. @throws AppError what the authenticator throws. */
export function identify(authenticator: Authenticator, req: Request): Promise<Client> {
  return authenticator.authenticate({
    incoming: req,
    headers: req.headers,
    headersDistinct: req.headersDistinct,
    addressKey: addressKeyOf(req),
    isFromTrustedProxy: isFromTrustedProxy(req),
  });
}

/**
 * Browsers send cookies with cross-site requests too, and these headers reveal that. A request authenticated by cookie
 * without either header might be cross-site.
 *
 * @throws AppError `ORIGIN_NOT_ALLOWED`
 */
export function assertSentByPage(req: Request): void {
  const isBlind = req.get('Origin') === undefined && req.get('Sec-Fetch-Site') === undefined;
  if (isBlind) throw appError('ORIGIN_NOT_ALLOWED');
}

/** The client of `req`, once authentication has let it in. */
export function clientOf(req: WithClient): Client {
  const client = req[CLIENT];
  if (client === undefined) throw new TypeError('the client is not known yet');
  return client;
}

/** The client's address as `TRUST_PROXY` lets it be known, by subnet. */
export function addressKeyOf(req: Request): string {
  const address = addressOf(req);
  const known = keys.get(address);
  if (known !== undefined) return known;
  if (keys.size >= MAX_KEYS) keys.clear();
  const key = ipKeyGenerator(address, IPV6_PREFIX_BITS);
  keys.set(address, key);
  return key;
}

/** Keys of addresses that were seen lately: computing the subnet runs some very long regular expressions. */
const keys = new Map<string, string>();
const MAX_KEYS = 1_000;

const IPV4_WITH_PORT = /^([\d.]+):\d+$/;
const IPV6_IN_BRACKETS = /^\[([^[\]]+)\](?::\d+)?$/;

/**
 * Some proxies append the client's port, which would make each connection a new client. A value that is not an address
 * is forged; the proxy's own address is used instead.
 */
function addressOf(req: Request): string {
  const given = req.ip ?? '';
  if (given === req.socket.remoteAddress) return given;
  const address = (IPV4_WITH_PORT.exec(given) ?? IPV6_IN_BRACKETS.exec(given))?.[1] ?? given;
  return isIP(address) === 0 ? (req.socket.remoteAddress ?? 'unknown') : address;
}
