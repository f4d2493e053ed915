import { Router } from 'express';
import { createActivityCount } from '../middleware/activity.ts';
import { createCallerGate } from '../middleware/caller.ts';
import { createDrainingGate } from '../middleware/draining.ts';
import { createPrefixReader } from '../middleware/forwarded.ts';
import { createOriginGate, createPreflight } from '../middleware/origin.ts';
import { createAddressRateLimit, createRateLimit } from '../middleware/rate-limit.ts';
import { addClientConfig } from '../routes/client-config.ts';
import { addClientModule } from '../routes/client-module.ts';
import { addComplete } from '../routes/complete.ts';
import { addContent } from '../routes/content.ts';
import { addInitiate } from '../routes/initiate.ts';
import { addOpenApi } from '../routes/openapi.ts';
import { addPassthrough } from '../routes/passthrough.ts';
import { addSession } from '../routes/session.ts';
import { addUpload } from '../routes/upload.ts';
import type { AppContext } from './context.ts';

/**
 * Everything below the base path, as a list: what a request passes, in this order. One router for all routes: each
 * router within another would cost every request that passes it as much as a route.
 */
export function createApi(context: AppContext): Router {
  const { config } = context;
  const api = Router();
  api.use(createPreflight()); // before what rejects or counts
  api.use(createDrainingGate(context));
  api.use(createActivityCount(context)); // after the gate: what it rejected does not delay a shutdown
  api.use(createOriginGate(context));
  addClientConfig(api, context);
  addClientModule(api);
  const addressLimit = createAddressRateLimit(context);
  addOpenApi(api, context, addressLimit);
  if (config.auth.kind !== 'none') api.use(addressLimit); // guesses at credentials are counted too
  if (context.sessions !== null) addSession(api, context, context.sessions); // before the gate: it lets callers in
  api.use(createCallerGate(context)); // before any body
  api.use(createRateLimit(context)); // after the gate: it counts by user
  const readPrefix = createPrefixReader(context);
  addUpload(api, context, readPrefix);
  addInitiate(api, context, readPrefix);
  addContent(api, context);
  addComplete(api, context);
  if (config.passthrough.length > 0) addPassthrough(api, context); // last: no listed call hides one of ours
  return api;
}
