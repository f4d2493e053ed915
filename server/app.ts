import express, { type Express, type RequestHandler } from 'express';
import { createAccessLog } from '../middleware/access-log.ts';
import { createBodyGuard } from '../middleware/body-guard.ts';
import { createErrorHandler, createNotFound } from '../middleware/error-handler.ts';
import { createForwardedNotice } from '../middleware/forwarded.ts';
import { createLocalHostCheck } from '../middleware/local-host.ts';
import { createCors } from '../middleware/origin.ts';
import { createRequestId } from '../middleware/request-id.ts';
import { createSecurityHeaders } from '../middleware/security-headers.ts';
import { createStrictHttp } from '../middleware/strict-http.ts';
import { addHealth } from '../routes/health.ts';
import { createPageRouter } from '../routes/page.ts';
import type { AppContext } from './context.ts';
import type { DemoTarget } from './demo.ts';

/**
 * The whole application as a list: what a request passes, in this order.
 *
 * @param api Answers what lies below the base path (`api.ts`).
 * @param demo Adds the page.
 */
export function createApp(context: AppContext, api: RequestHandler, demo: DemoTarget | null = null): Express {
  const { config } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // files from memory set their own
  app.set('query parser', 'simple'); // nested query objects have no use here and many dangers
  app.set('trust proxy', config.trustProxy);

  app.use(createRequestId());
  app.use(createAccessLog(context));
  app.use(createBodyGuard(context)); // before anything that can respond: it reads the rest of the body
  app.use(createForwardedNotice(context));
  app.use(createSecurityHeaders(config.hstsMaxAgeS));
  app.use(createCors(context)); // before all rejections: a page may only read errors that carry its headers
  app.use(createStrictHttp());
  addHealth(app, context); // neither drained nor limited: probes must always get an answer
  if (!config.production) app.use(createLocalHostCheck(context)); // after probes, which come under any name
  app.use(config.basePath === '' ? '/' : config.basePath, api);
  if (demo !== null) app.use(createPageRouter(context, demo));
  app.use(createNotFound());
  app.use(createErrorHandler());
  return app;
}
