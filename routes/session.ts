import type { CookieOptions, Request, Response, Router } from 'express';
import { assertSentByPage } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import { createFailureLimit } from '../middleware/rate-limit.ts';
import { readCredentials } from '../server/auth/credentials.ts';
import { SESSION_COOKIE, type Sessions } from '../server/auth/sessions.ts';
import type { AppContext } from '../server/context.ts';
import { invalidField, missingField } from '../server/errors/factories.ts';

/** Custom pages run in an iframe on another site, so the cookie must be cross-site and partitioned. */
const COOKIE: CookieOptions = {
  httpOnly: true,
  secure: true,
  sameSite: 'none',
  partitioned: true,
  path: '/',
};

/**
 * `POST /session`: exchanges the user context that the CRM hands to a custom page for a session, as a cookie
 * and, for browsers that block those, as a bearer token. `DELETE /session` ends it.
 */
export function addSession(
  router: Router,
  context: Pick<AppContext, 'config' | 'sharedStore'>,
  sessions: Sessions,
): void {
  const begin = async (req: Request, res: Response): Promise<void> => {
    const { token, expiresAt, locationId } = await sessions.begin(requiredPayload(req.body));
    res.cookie(SESSION_COOKIE, token, { ...COOKIE, expires: new Date(expiresAt) });
    res.set('Cache-Control', 'no-store').json({ token, tokenType: 'Bearer', expiresAt, locationId });
  };
  const end = async (req: Request, res: Response): Promise<void> => {
    // End both: signing out of one page should also end the cookie session of another.
    const credentials = readCredentials(req, SESSION_COOKIE);
    // No page can be made to send the header for another site, whatever cookie comes along.
    if (credentials[0]?.isByCookie) assertSentByPage(req);
    for (const { token } of credentials) await sessions.end(token);
    res.set('Cache-Control', 'no-store').clearCookie(SESSION_COOKIE, COOKIE).status(204).end();
  };
  router
    .route('/session')
    .post(createFailureLimit(context), createJsonBody(), begin) // forging a context takes many attempts
    .delete(end)
    .all(createMethodNotAllowed('POST', 'DELETE'));
}

function requiredPayload({ payload }: Readonly<Record<string, unknown>>): string {
  if (payload === undefined || payload === null || payload === '') throw missingField('payload');
  if (typeof payload !== 'string') throw invalidField('payload', 'text');
  return payload;
}
