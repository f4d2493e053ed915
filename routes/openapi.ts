import { fileURLToPath } from 'node:url';
import type { Request, RequestHandler, Response, Router } from 'express';
import helmet from 'helmet';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AppContext } from '../server/context.ts';

const OWN = fileURLToPath(new URL('./docs/', import.meta.url));

/** What the page loads, besides itself; everything else of the package stays inside. */
const ASSETS: Readonly<Record<string, 'own' | 'swagger-ui'>> = {
  'initializer.js': 'own',
  'swagger-ui-bundle.js': 'swagger-ui',
  'swagger-ui.css': 'swagger-ui',
  'favicon-32x32.png': 'swagger-ui',
};

/**
 * `GET /openapi.json`: the description of the API, and `GET /docs`: a page over it. Both are made when they
 * are first asked for, since most processes never are.
 */
export function addOpenApi(router: Router, { config }: Pick<AppContext, 'config'>): void {
  let document: Promise<unknown> | null = null;
  const load = async (): Promise<unknown> => {
    const { createOpenApiDocument } = await import('../server/openapi/document.ts');
    return createOpenApiDocument(config);
  };
  const sendDocument = async (_req: Request, res: Response): Promise<void> => {
    document ??= load();
    res.set('Cache-Control', 'no-cache').json(await document);
  };
  const sendPage = (req: Request, res: Response): void => {
    // The page names its files relative to its own address, so that a prefix which a proxy takes off is no matter.
    if (req.path.endsWith('/')) res.redirect(308, '../docs');
    else res.set('Cache-Control', 'no-cache').sendFile('index.html', { root: OWN, cacheControl: false });
  };
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  router.route('/openapi.json').get(sendDocument).all(readOnly);
  router.route('/docs').get(createPagePolicy(), sendPage).all(readOnly);
  for (const [name, home] of Object.entries(ASSETS)) {
    router.get(`/docs/${name}`, (_req: Request, res: Response) => {
      res.sendFile(name, { root: home === 'own' ? OWN : swaggerUiFolder(), maxAge: '1h' });
    });
  }
}

function swaggerUiFolder(): string {
  return fileURLToPath(new URL('.', import.meta.resolve('swagger-ui-dist/package.json')));
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
