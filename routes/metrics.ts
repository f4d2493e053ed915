import type { Request, Response, Router } from 'express';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { Metrics } from '../server/observability/metrics.ts';

/** `GET /metrics`, for Prometheus. */
export function addMetrics(router: Router, metrics: Metrics): void {
  const sendMetrics = async (_req: Request, res: Response): Promise<void> => {
    const text = await metrics.render();
    res.set('Content-Type', metrics.contentType).set('Cache-Control', 'no-store').send(text);
  };
  router.route('/metrics').get(sendMetrics).all(createMethodNotAllowed('GET', 'HEAD'));
}
