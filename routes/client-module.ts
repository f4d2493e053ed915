import type { Request, Response, Router } from 'express';
import { createBrowserModules } from '../middleware/browser-modules.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';

const CLIENT = new URL('../client/', import.meta.url);

/**
 * `GET /client.js`: the browser client as a module to import; `GET /client/…`: the modules that it consists
 * of, `/client/store.js` among them.
 */
export function addClientModule(router: Router): void {
  const sendModule = (_req: Request, res: Response): void => {
    // Relative, so that a prefix which a proxy takes off is no matter.
    res.set('Cache-Control', 'no-cache').type('text/javascript').send("export * from './client/index.js';\n");
  };
  router.route('/client.js').get(sendModule).all(createMethodNotAllowed('GET', 'HEAD'));
  router.use('/client', createBrowserModules(CLIENT));
}
