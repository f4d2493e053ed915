import type { Request, Response, Router } from 'express';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AppContext } from '../server/context.ts';

/** Who may read the notices: everybody, or those who reach the admin port. */
type Audience = 'public' | 'operator';

/** `GET /healthz` (the process is up) and `GET /readyz` (it wants requests). */
export function addHealth(
  router: Router,
  { lifecycle }: Pick<AppContext, 'lifecycle'>,
  audience: Audience = 'public',
): void {
  const sendHealth = (_req: Request, res: Response): void => {
    res.set('Cache-Control', 'no-store').json({ status: 'ok' });
  };
  const sendReadiness = (_req: Request, res: Response): void => {
    const reasons = lifecycle.reasons();
    const isReady = reasons.length === 0;
    const notices = audience === 'public' ? lifecycle.notices() : lifecycle.detailedNotices();
    res
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: isReady ? 'ready' : 'not ready', reasons, notices });
  };
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  router.route('/healthz').get(sendHealth).all(readOnly);
  router.route('/readyz').get(sendReadiness).all(readOnly);
}
