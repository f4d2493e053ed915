import { readFile } from 'node:fs/promises';
import type { Request, Response, Router } from 'express';
import { JAVASCRIPT } from '../middleware/browser-modules.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import { type MemoryFile, sendMemoryFile, toMemoryFile } from '../middleware/memory-files.ts';
import { assetFolder, IS_BUNDLE } from '../server/assets.ts';

const CLIENT = assetFolder('client/');
const BUNDLER = new URL('../scripts/browser-bundles.ts', import.meta.url);

/** `GET /client.js`, `GET /element.js`: the browser client and the upload element, each as one minified module. */
export function addClientModule(router: Router): void {
  for (const name of ['client.js', 'element.js']) {
    let file: Promise<MemoryFile> | undefined;
    const sendModule = async (req: Request, res: Response): Promise<void> => {
      file ??= loadModule(name);
      sendMemoryFile(req, res, await file);
    };
    router.route(`/${name}`).get(sendModule).all(createMethodNotAllowed('GET', 'HEAD'));
  }
}

/** Reads the module that `npm run build` made, or makes it of the sources. */
async function loadModule(name: string): Promise<MemoryFile> {
  if (IS_BUNDLE) return toMemoryFile(await readFile(new URL(name, CLIENT)), JAVASCRIPT);
  // A computed specifier keeps the bundler, a development dependency, out of the bundle.
  const { bundleForBrowsers } = (await import(
    BUNDLER.href
  )) as typeof import('../scripts/browser-bundles.ts');
  return toMemoryFile(await bundleForBrowsers(name), JAVASCRIPT);
}
