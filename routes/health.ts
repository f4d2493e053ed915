import type { Request, Response, Router } from 'express';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AppContext } from '../server/context.ts';
import type { Notice } from '../server/lifecycle.ts';

/** Who may read reasons and notices: everyone, or those who reach the admin port. */
type Audience = 'public' | 'operator';

/** `GET /healthz` (the process is up) and `GET /readyz` (ready for requests). */
export function addHealth(
  router: Router,
  { lifecycle }: Pick<AppContext, 'lifecycle'>,
  audience: Audience = 'public',
): void {
  const show = ({ text, detail }: Notice): string => (audience === 'public' ? text : detail);
  const sendHealth = (_req: Request, res: Response): void => {
    res.set('Cache-Control', 'no-store').json({ status: 'ok' });
  };
  const sendReadiness = (_req: Request, res: Response): void => {
    const reasons = lifecycle.reasons().map(show);
    const isReady = reasons.length === 0;
    const notices = lifecycle.notices().map(show);
    res
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: isReady ? 'ready' : 'not ready', reasons, notices });
  };
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  router.route('/healthz').get(sendHealth).all(readOnly);
  router.route('/readyz').get(sendReadiness).all(readOnly);
}
