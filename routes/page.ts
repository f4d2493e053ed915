import { fileURLToPath } from 'node:url';
import express, { Router } from 'express';
import type { AppContext } from '../server/context.ts';

const WEB = fileURLToPath(new URL('../web/', import.meta.url));

/** `GET /`: the demo page, in sandbox mode only. */
export function createPageRouter({ config }: Pick<AppContext, 'config'>): Router {
  const router = Router();
  router.get('/demo.json', (_req, res) => {
    res.json({ basePath: config.basePath, locationId: config.leadway.singleLocationId });
  });
  router.use(express.static(WEB, { index: 'index.html' }));
  return router;
}
