import { type Request, type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { createBrowserModules } from '../middleware/browser-modules.ts';
import { createStaticFiles } from '../middleware/static-files.ts';
import { assetFolder } from '../server/assets.ts';
import { formatOriginPattern } from '../server/config/addresses.ts';
import type { AppContext } from '../server/context.ts';
import type { DemoTarget } from '../server/sandbox-mode.ts';

const WEB = assetFolder('web/');
const CLIENT = assetFolder('client/');

/** The static files of the page, besides its modules; nothing else in the folder is served. */
const ASSET = /^\/((?:[a-z0-9-]+\/)*[a-z0-9-]+\.(html|css|svg|png))$/;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
};

/** `GET /`: the demo page and its files; `GET /demo.json`: where the page finds the API and a conversation. */
export function createPageRouter({ config }: Pick<AppContext, 'config'>, demo: DemoTarget): Router {
  const router = Router();
  router.get(['/', '/index.html'], createPagePolicy(config));
  router.get('/demo.json', (_req: Request, res: Response) => {
    const { conversationId, contactId } = demo;
    res.set('Cache-Control', 'no-store').json({ basePath: config.basePath, conversationId, contactId });
  });
  router.use(createBrowserModules(WEB));
  router.use('/client', createBrowserModules(CLIENT)); // as the sources find it: `../client/` of `/main.js`
  router.use(
    createStaticFiles((path) => {
      const [, name, extension = ''] = ASSET.exec(path === '/' ? '/index.html' : path) ?? [];
      const contentType = CONTENT_TYPES[extension];
      if (name === undefined || contentType === undefined) return null;
      return { file: new URL(name, WEB), contentType };
    }),
  );
  return router;
}

/**
 * The page loads nothing but its own files, talks to us, and puts large files into storage and shows them
 * from there. No `upgrade-insecure-requests`: the sandbox speaks plain HTTP.
 */
function createPagePolicy({ storageOrigins }: AppContext['config']): RequestHandler {
  const ours = ["'self'", ...storageOrigins.map(formatOriginPattern)];
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ours,
      connectSrc: ours,
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
}
