import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Authenticator, Client } from '../server/auth/authenticator.ts';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { isSafeMethod } from './check-origin.ts';
import { addressKeyOf } from './client-address.ts';
import { isFromTrustedProxy } from './forwarded.ts';

const CLIENT = Symbol('client');

type WithClient = Request & { [CLIENT]?: Client };

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
