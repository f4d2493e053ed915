import { type Request, type Response, Router } from 'express';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AppContext } from '../server/context.ts';

/** `GET /healthz` (the process is up) and `GET /readyz` (it wants requests). */
export function createHealthRouter({ lifecycle }: Pick<AppContext, 'lifecycle'>): Router {
  const router = Router();
  router.get('/healthz', (_req: Request, res: Response) => {
    res.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/readyz', (_req: Request, res: Response) => {
    const reasons = lifecycle.reasons();
    const isReady = reasons.length === 0;
    res
      .status(isReady ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: isReady ? 'ready' : 'not ready', reasons, notices: lifecycle.notices() });
  });
  router.all(['/healthz', '/readyz'], createMethodNotAllowed('GET', 'HEAD'));
  return router;
}
