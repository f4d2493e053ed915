import express, { type Express, type Request, Router } from 'express';
import { createAccessLog } from '../middleware/access-log.ts';
import { authenticate } from '../middleware/authenticate.ts';
import { createBodyGuard, createUnreadBodyCheck } from '../middleware/body-guard.ts';
import {
  checkOrigin,
  createCors,
  createLocalHostCheck,
  createPreflight,
} from '../middleware/check-origin.ts';
import { createActivityCount, rejectWhileDraining } from '../middleware/draining.ts';
import { createErrorHandler, createNotFound } from '../middleware/error-handler.ts';
import { createForwardedNotice, createPrefixReader, setTrustProxy } from '../middleware/forwarded.ts';
import { createAddressRateLimit, createRateLimit } from '../middleware/rate-limit.ts';
import { createRequestId } from '../middleware/request-id.ts';
import { createSecurityHeaders } from '../middleware/security-headers.ts';
import { createStrictHttp } from '../middleware/strict-http.ts';
import { createTracing } from '../middleware/tracing.ts';
import { addClientConfig } from '../routes/client-config.ts';
import { addClientModule } from '../routes/client-module.ts';
import { addComplete } from '../routes/complete.ts';
import { addContent } from '../routes/content.ts';
import { addHealth } from '../routes/health.ts';
import { addInitiate } from '../routes/initiate.ts';
import { addMetrics } from '../routes/metrics.ts';
import { addOpenApi } from '../routes/openapi.ts';
import { createPageRouter } from '../routes/page.ts';
import { addPassthrough } from '../routes/passthrough.ts';
import { addSession } from '../routes/session.ts';
import { addUpload } from '../routes/upload.ts';
import type { AppContext } from './context.ts';
import type { Metrics } from './observability/metrics.ts';
import type { Tracing } from './observability/tracing.ts';
import type { DemoTarget } from './sandbox-mode.ts';

/** What {@link createApp} adds on request. */
export interface AppOptions {
  /** Adds the page. */
  readonly demo?: DemoTarget | null;
  /** Adds traces. */
  readonly tracing?: Tracing | null;
}

/** The whole application as a list: what a request passes, in this order. */
export function createApp(context: AppContext, { demo = null, tracing = null }: AppOptions = {}): Express {
  const { config } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag'); // files from memory set their own
  app.set('query parser', 'simple'); // nested query objects have no use here and many dangers
  setTrustProxy(app, config);

  app.use(createRequestId());
  app.use(createAccessLog(context));
  if (tracing !== null) app.use(createTracing(tracing)); // before anything that reads the body
  app.use(createBodyGuard(context)); // before anything that can respond: it reads the rest of the body
  app.use(createForwardedNotice(context));
  app.use(createSecurityHeaders(config.hstsMaxAgeS));
  app.use(createCors(context)); // before all rejections: a page may only read errors that carry its headers
  app.use(createStrictHttp());
  addHealth(app, context); // neither drained nor limited: probes must always get a response
  if (!config.production) app.use(createLocalHostCheck(context)); // after probes, which come under any name
  app.use(config.basePath === '' ? '/' : config.basePath, createApi(context));
  if (demo !== null) app.use(createPageRouter(context, demo));
  app.use(createNotFound());
  app.use(createErrorHandler());
  return app;
}

/** What the admin port serves: metrics, and the probes with all details. */
export function createAdminApp(context: AppContext, metrics: Metrics): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(createRequestId());
  app.use(createSecurityHeaders(0));
  app.use(createStrictHttp());
  addHealth(app, context, 'operator');
  addMetrics(app, metrics);
  app.use(createNotFound());
  app.use(createErrorHandler());
  return app;
}

/**
 * The API for another app. It is an app too, so that `TRUST_PROXY` and the query parser are its own; without `TRUST_PROXY`,
 * Express lets it inherit the other app's `trust proxy`.
 */
export function createUploadApp(context: AppContext): Express {
  const { config } = context;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  if (config.trustProxy !== false) setTrustProxy(app, config);

  app.use(createRequestId());
  app.use(createAccessLog(context));
  app.use(createUnreadBodyCheck(context)); // before anything that waits for the body
  app.use(createBodyGuard(context)); // before anything that can respond: it reads the rest of the body
  app.use(createForwardedNotice(context));
  app.use(createSecurityHeaders(config.hstsMaxAgeS));
  app.use(createCors(context)); // before all rejections: a page may only read errors that carry its headers
  app.use(createStrictHttp());
  if (!config.production) app.use(createLocalHostCheck(context));
  app.use(createApi(context, (req) => req.baseUrl));
  app.use(createNotFound());
  app.use(createErrorHandler());
  return app;
}

/**
 * Everything below the base path, as a list: what a request passes, in this order. One router for all routes: each
 * router within another would cost every request that passes it as much as a route.
 */
function createApi(context: AppContext, mountPathOf: (req: Request) => string = () => ''): Router {
  const { config } = context;
  const api = Router();
  api.use(createPreflight()); // before what rejects or counts
  api.use(rejectWhileDraining(context));
  api.use(createActivityCount(context)); // after the gate: what it rejected does not delay a shutdown
  api.use(checkOrigin(context));
  addClientConfig(api, context);
  addClientModule(api);
  const addressLimit = createAddressRateLimit(context);
  addOpenApi(api, context, addressLimit);
  if (context.hasCredentials) api.use(addressLimit); // guesses at credentials are counted too
  if (context.sessions !== null) addSession(api, context, context.sessions); // before the gate: it lets clients in
  api.use(authenticate(context)); // before any body
  api.use(createRateLimit(context)); // after the gate: it counts by user
  const readPrefix = createPrefixReader(context, mountPathOf);
  addUpload(api, context, readPrefix);
  addInitiate(api, context, readPrefix);
  addContent(api, context);
  addComplete(api, context);
  if (config.passthrough.length > 0) addPassthrough(api, context); // last: no listed call hides one of ours
  return api;
}
