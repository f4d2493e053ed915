import { readFile } from 'node:fs/promises';
import type { Request, RequestHandler, Response, Router } from 'express';
import helmet from 'helmet';
import { JAVASCRIPT } from '../middleware/browser-modules.ts';
import { createMethodNotAllowed, createNotFound } from '../middleware/error-handler.ts';
import { type StaticFile, sendStaticFile, toStaticFile } from '../middleware/static-files.ts';
import { assetFolder, IS_BUNDLE } from '../server/assets.ts';
import type { AppContext } from '../server/context.ts';
import { createOpenApiDocument } from '../server/openapi/document.ts';

const OWN = assetFolder('routes/docs/');

/** What the page takes from Swagger UI. */
export const SWAGGER_UI_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'] as const;

/** What the page loads; everything else of the package stays inside. */
const ASSETS: Readonly<Record<'initializer.js' | (typeof SWAGGER_UI_FILES)[number], string>> = {
  'initializer.js': JAVASCRIPT,
  'swagger-ui-bundle.js': JAVASCRIPT,
  'swagger-ui.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/**
 * `GET /openapi.json`: the description of the API, and `GET /docs`: a page over it. Everything is built on first use
 * and then cached: most processes never serve it, and anonymous clients can request it often without reading it.
 *
 * @param limit Counts these requests by address.
 */
export function addOpenApi(
  router: Router,
  { config }: Pick<AppContext, 'config'>,
  limit: RequestHandler,
): void {
  if (!config.apiDocs) {
    router.use(['/openapi.json', '/docs'], createNotFound());
    return;
  }
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  const sendDocument = createSender('no-cache', async () => {
    return toStaticFile(JSON.stringify(createOpenApiDocument(config)), 'application/json; charset=utf-8');
  });
  const sendPage = createSender('no-cache', async () =>
    toStaticFile(await readFile(new URL('index.html', OWN)), 'text/html; charset=utf-8'),
  );
  // The page uses relative URLs, so it works behind a proxy that strips a prefix.
  const dropTrailingSlash: RequestHandler = (req, res, next) =>
    req.path.endsWith('/') ? res.redirect(308, '../docs') : next();
  router.route('/openapi.json').all(limit).get(sendDocument).all(readOnly);
  router.route('/docs').all(limit).get(createPagePolicy(), dropTrailingSlash, sendPage).all(readOnly);
  for (const [name, contentType] of Object.entries(ASSETS)) {
    const sendAsset = createSender('public, max-age=3600', async () => {
      const folder = IS_BUNDLE || name === 'initializer.js' ? OWN : swaggerUi();
      return toStaticFile(await readFile(new URL(name, folder)), contentType);
    });
    router.route(`/docs/${name}`).all(limit).get(sendAsset);
  }
}

/** The folder of the package, as it is installed. */
function swaggerUi(): URL {
  return new URL('.', import.meta.resolve('swagger-ui-dist/package.json'));
}

/** Sends what `make` makes on the first request. */
function createSender(cacheControl: string, make: () => Promise<StaticFile>): RequestHandler {
  let made: Promise<StaticFile> | null = null;
  return async function sendMade(req: Request, res: Response) {
    made ??= make();
    sendStaticFile(req, res, await made, cacheControl);
  };
}

/** Nothing but its own files and calls to this server; Swagger UI draws its icons from data URLs. */
function createPagePolicy(): RequestHandler {
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
}
