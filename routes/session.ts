import { type CookieOptions, type Request, type Response, Router } from 'express';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import { readCredential } from '../server/callers/bearer.ts';
import { SESSION_COOKIE, type Sessions } from '../server/callers/sessions.ts';
import { appError } from '../server/errors/app-error.ts';

/** Custom pages live in a frame of another site, so the cookie must be sent there, and kept apart by site. */
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
export function createSessionRouter(sessions: Sessions): Router {
  const router = Router();
  router.post('/session', createJsonBody(), async (req: Request, res: Response) => {
    const { payload } = req.body as Readonly<Record<string, unknown>>;
    const field = 'payload';
    if (payload === undefined || payload === '') {
      throw appError('MISSING_FIELD', { params: { field }, details: { field } });
    }
    if (typeof payload !== 'string') {
      throw appError('INVALID_FIELD', {
        message: 'INVALID_FIELD.text',
        params: { field },
        details: { field },
      });
    }
    const { token, expiresAt, locationId } = await sessions.begin(payload);
    res.cookie(SESSION_COOKIE, token, { ...COOKIE, expires: new Date(expiresAt) });
    res.set('Cache-Control', 'no-store').json({ token, tokenType: 'Bearer', expiresAt, locationId });
  });
  router.delete('/session', async (req: Request, res: Response) => {
    const credential = readCredential(req.headers, SESSION_COOKIE);
    if (credential !== null) await sessions.end(credential.token);
    res.clearCookie(SESSION_COOKIE, COOKIE).status(204).end();
  });
  router.all('/session', createMethodNotAllowed('POST', 'DELETE'));
  return router;
}
