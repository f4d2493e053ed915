import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { createMethodNotAllowed } from './error-handler.ts';

/** `a.js` or `part/a.js`: names of modules, and nothing that leads out of their folder. */
const MODULE_PATH = /^\/((?:[a-z0-9-]+\/)*[a-z0-9-]+)\.js$/;
/** What follows `from` or `import` and names a file beside: `'./a.ts'`. */
const RELATIVE_SPECIFIER = /(\b(?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g;

interface BrowserModule {
  readonly code: string;
  readonly etag: string;
}

/**
 * Serves the TypeScript modules of `folder` to browsers as they are, without their types: `/a.js` is `a.ts`.
 * Each is made when it is first asked for and kept as long as the process; what is no module of the folder is
 * left to what comes after.
 */
export function createBrowserModules(folder: URL): RequestHandler {
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  const modules = new Map<string, Promise<BrowserModule | null>>();
  return async function browserModules(req: Request, res: Response, next: NextFunction) {
    const name = MODULE_PATH.exec(req.path)?.[1];
    if (name === undefined) return next();
    const known = modules.get(name) ?? load(new URL(`${name}.ts`, folder));
    const module = await known;
    if (module === null) return next();
    modules.set(name, known);
    if (req.method === 'GET' || req.method === 'HEAD') sendModule(res, module);
    else readOnly(req, res, next);
  };
}

/** Answers with a module; the browser asks each time whether it has changed, since all of them change together. */
function sendModule(res: Response, { code, etag }: BrowserModule): void {
  res.set('Cache-Control', 'no-cache').set('ETag', etag).type('text/javascript').send(code);
}

async function load(file: URL): Promise<BrowserModule | null> {
  const source = await readFile(fileURLToPath(file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (source === null) return null;
  const code = toBrowserCode(source);
  return { code, etag: `"${createHash('sha256').update(code).digest('base64url')}"` };
}

/** TypeScript as a browser can run it: types become blanks, so lines and columns stay as they are. */
export function toBrowserCode(source: string): string {
  return stripTypeScriptTypes(source).replace(RELATIVE_SPECIFIER, '$1$2$3.js$2');
}
