import { fileURLToPath } from 'node:url';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import helmet from 'helmet';
import { createBrowserModules } from '../middleware/browser-modules.ts';
import { formatOriginPattern } from '../server/config/origin-pattern.ts';
import type { AppContext } from '../server/context.ts';
import type { DemoTarget } from '../server/demo.ts';

const WEB = new URL('../web/', import.meta.url);
const CLIENT = new URL('../client/', import.meta.url);

/** What the page consists of besides its modules; sources and settings beside them are no part of it. */
const ASSET = /\.(?:html|css|svg|png)$/;

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
  const assets = express.static(fileURLToPath(WEB), { index: 'index.html', cacheControl: false });
  router.use((req, res, next) =>
    req.path === '/' || ASSET.test(req.path) ? assets(req, res, next) : next(),
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
