import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardBody, readJson } from './body.ts';
import { conversationOf, responseConversations } from './conversations.ts';
import { completeUpload, initiateUpload } from './direct-upload.ts';
import { injectAtEnd, injectAtStart } from './fault-injection.ts';
import type { Endpoint } from './faults.ts';
import { INVALID_JWT, leadwayError } from './leadway-responses.ts';
import {
  deliver,
  handleRequest,
  type RequestContext,
  type SandboxResponse,
  takeFault,
} from './request-context.ts';
import type { SandboxState } from './state.ts';
import { bearerOf } from './targets.ts';
import { receiveUpload } from './upload.ts';

/** The `Version` values in use. */
const VERSIONS: readonly unknown[] = ['2021-04-15', '2021-07-28', '2023-02-21', 'v3'];
const UPLOAD_PATH = '/conversations/messages/upload';

function endpointOf(method: string | undefined, path: string): Endpoint {
  if (method !== 'POST') return 'other';
  if (path === UPLOAD_PATH) return 'upload';
  if (path === `${UPLOAD_PATH}/initiate`) return 'initiate';
  return path === `${UPLOAD_PATH}/complete` ? 'complete' : 'other';
}

/** Makes the request listener of the Leadway stand-in. */
export function createLeadwayApi(state: SandboxState) {
  return function leadwayApi(req: IncomingMessage, res: ServerResponse): void {
    // A fixed base keeps a target like `//host/path` from naming its own host.
    const url = new URL(`http://sandbox${req.url?.startsWith('/') ? req.url : '/'}`);
    const endpoint = endpointOf(req.method, url.pathname);
    void handleRequest(state, endpoint, req, res, (context) => serve(state, context, url));
  };
}

async function serve(state: SandboxState, context: RequestContext, url: URL): Promise<void> {
  injectAtStart(context);
  // A fault for everything goes before the ordinary checks, so that it shows whatever the request is like.
  const early = checkHeaders(state, context);
  if (early !== null && context.fault === null) await deliver(context, early);

  const respond = await receive(state, context, url);
  const replaced = context.responded ? null : await injectAtEnd(context, bearerOf(context));
  if (!context.responded) await deliver(context, replaced ?? respond());
}

/** What is decided before the body: the budget, the token, and two headers. Sets the rate headers. */
function checkHeaders(state: SandboxState, context: RequestContext): SandboxResponse | null {
  const { headers } = context.req;
  const bearer = bearerOf(context);
  const locationId = [...state.tokens].find(([, token]) => token === bearer)?.[0];
  const budget = state.limiter.spend(locationId ?? '');
  for (const [name, value] of Object.entries(budget.headers)) context.res.setHeader(name, value);

  if (budget.exceeded) return leadwayError(429, 'Too Many Requests');
  // Without it the real service was seen to respond a bare 404.
  if (!/\bapplication\/json\b/i.test(headers.accept ?? '')) return { status: 404 };
  if (locationId === undefined) return leadwayError(401, INVALID_JWT);
  if (headers['version'] === undefined) return leadwayError(401, 'version header was not found.');
  if (!VERSIONS.includes(headers['version'])) return leadwayError(401, 'version header is invalid');
  return null;
}

/** Reads the request, lets its conversation choose a fault, and returns the response it would get without one. */
async function receive(
  state: SandboxState,
  context: RequestContext,
  url: URL,
): Promise<() => SandboxResponse> {
  if (context.endpoint === 'upload') return receiveUpload(state, context);
  if (context.endpoint === 'other' && context.record.method === 'GET') {
    takeFault(context, conversationOf(url, {}));
    await discardBody(context);
    return () => responseConversations(state, context, url, {});
  }
  const json = await readJson(context);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return () => leadwayError(400, 'Unexpected token in JSON');
  }
  const body = json as Readonly<Record<string, unknown>>;
  const conversationId = body['conversationId'];
  if (typeof conversationId === 'string') takeFault(context, conversationId);
  if (context.endpoint === 'initiate') return () => initiateUpload(state, context, body);
  if (context.endpoint === 'complete') return () => completeUpload(state, context, body);
  return () => responseConversations(state, context, url, body);
}
