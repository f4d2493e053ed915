import { readFile } from 'node:fs/promises';
import type { Request, Response, Router } from 'express';
import { JAVASCRIPT } from '../middleware/browser-modules.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { type StaticFile, sendStaticFile, toStaticFile } from '../middleware/static-files.ts';
import { assetFolder, IS_BUNDLE } from '../server/assets.ts';

const CLIENT = assetFolder('client/');
const BUNDLER = new URL('../scripts/browser-bundles.ts', import.meta.url);

/** `GET /client.js`, `GET /element.js`: the browser client and the upload element, each as one minified module. */
export function addClientModule(router: Router): void {
  for (const name of ['client.js', 'element.js']) {
    let file: Promise<StaticFile> | undefined;
    const sendModule = async (req: Request, res: Response): Promise<void> => {
      file ??= loadModule(name);
      sendStaticFile(req, res, await file);
    };
    router.route(`/${name}`).get(sendModule).all(createMethodNotAllowed('GET', 'HEAD'));
  }
}

/** Reads the module built by `npm run build`, or bundles it from source. */
async function loadModule(name: string): Promise<StaticFile> {
  if (IS_BUNDLE) return toStaticFile(await readFile(new URL(name, CLIENT)), JAVASCRIPT);
  // A computed specifier keeps the bundler, a development dependency, out of the bundle.
  const { bundleForBrowsers } = (await import(
    BUNDLER.href
  )) as typeof import('../scripts/browser-bundles.ts');
  return toStaticFile(await bundleForBrowsers(name), JAVASCRIPT);
}
