import { stripTypeScriptTypes } from 'node:module';
import type { RequestHandler } from 'express';
import { IS_BUNDLE } from '../server/assets.ts';
import { createStaticFiles } from './static-files.ts';

/** `a.js` or `part/a.js`: names of modules, and nothing that leads out of their folder. */
const MODULE_PATH = /^\/((?:[a-z0-9-]+\/)*[a-z0-9-]+)\.js$/;
/** What follows `from` or `import` and names a file beside: `'./a.ts'`. */
const RELATIVE_SPECIFIER = /(\b(?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g;

/** The content type of JavaScript. */
export const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** Serves the modules of `folder` to browsers. When running from source, `/a.js` is `a.ts` with its types stripped. */
export function createBrowserModules(folder: URL): RequestHandler {
  return createStaticFiles((path) => {
    const name = MODULE_PATH.exec(path)?.[1];
    if (name === undefined) return null;
    if (IS_BUNDLE) return { file: new URL(`${name}.js`, folder), contentType: JAVASCRIPT };
    return { file: new URL(`${name}.ts`, folder), contentType: JAVASCRIPT, transform: toBrowserCode };
  });
}

/** TypeScript as a browser can run it: types become spaces, so lines and columns stay as they are. */
export function toBrowserCode(source: string): string {
  return stripTypeScriptTypes(source).replace(RELATIVE_SPECIFIER, '$1$2$3.js$2');
}
