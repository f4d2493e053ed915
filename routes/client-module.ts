import type { Request, Response, Router } from 'express';
import { createBrowserModules, JAVASCRIPT } from '../middleware/browser-modules.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { sendMemoryFile, toMemoryFile } from '../middleware/memory-files.ts';
import { assetFolder } from '../server/assets.ts';

const CLIENT = assetFolder('client/');

/**
 * `GET /client.js`: the browser client as a module to import; `GET /client/…`: the modules that it consists
 * of, `/client/store.js` among them.
 */
export function addClientModule(router: Router): void {
  // Relative, so that a prefix which a proxy takes off is no matter.
  const module = toMemoryFile("export * from './client/index.js';\n", JAVASCRIPT);
  const sendModule = async (req: Request, res: Response): Promise<void> => {
    sendMemoryFile(req, res, await module);
  };
  router.route('/client.js').get(sendModule).all(createMethodNotAllowed('GET', 'HEAD'));
  const element = toMemoryFile("export * from './client/element/index.js';\n", JAVASCRIPT);
  const sendElement = async (req: Request, res: Response): Promise<void> => {
    sendMemoryFile(req, res, await element);
  };
  router.route('/element.js').get(sendElement).all(createMethodNotAllowed('GET', 'HEAD'));
  router.use('/client', createBrowserModules(CLIENT));
}
