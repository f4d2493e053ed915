import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardBody, readJson } from './body.ts';
import { answerConversations, conversationOf } from './conversations.ts';
import { completeUpload, initiateUpload } from './direct-upload.ts';
import { type Answer, deliver, type Exchange, runExchange, takeFault } from './exchange.ts';
import { playAtEnd, playAtStart } from './fault-play.ts';
import type { Endpoint } from './faults.ts';
import { INVALID_JWT, leadwayError } from './leadway-answers.ts';
import { bearerOf } from './targets.ts';
import { receiveUpload } from './upload.ts';
import type { World } from './world.ts';

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
export function createLeadwayApi(world: World) {
  return function leadwayApi(req: IncomingMessage, res: ServerResponse): void {
    // A fixed base keeps a target like `//host/path` from naming a host of its own.
    const url = new URL(`http://sandbox${req.url?.startsWith('/') ? req.url : '/'}`);
    const endpoint = endpointOf(req.method, url.pathname);
    void runExchange(world, endpoint, req, res, (exchange) => serve(world, exchange, url));
  };
}

async function serve(world: World, exchange: Exchange, url: URL): Promise<void> {
  playAtStart(exchange);
  // A fault for everything goes before the ordinary checks, so that it shows whatever the request is like.
  const early = checkHeaders(world, exchange);
  if (early !== null && exchange.fault === null) await deliver(exchange, early);

  const respond = await receive(world, exchange, url);
  const replaced = exchange.answered ? null : await playAtEnd(exchange, bearerOf(exchange));
  if (!exchange.answered) await deliver(exchange, replaced ?? respond());
}

/** What is decided before the body: the budget, the token, and two headers. Sets the rate headers. */
function checkHeaders(world: World, exchange: Exchange): Answer | null {
  const { headers } = exchange.req;
  const bearer = bearerOf(exchange);
  const locationId = [...world.tokens].find(([, token]) => token === bearer)?.[0];
  const budget = world.limiter.spend(locationId ?? '');
  for (const [name, value] of Object.entries(budget.headers)) exchange.res.setHeader(name, value);

  if (budget.exceeded) return leadwayError(429, 'Too Many Requests');
  // Without it the real service was seen to answer a bare 404.
  if (!/\bapplication\/json\b/i.test(headers.accept ?? '')) return { status: 404 };
  if (locationId === undefined) return leadwayError(401, INVALID_JWT);
  if (headers['version'] === undefined) return leadwayError(401, 'version header was not found.');
  if (!VERSIONS.includes(headers['version'])) return leadwayError(401, 'version header is invalid');
  return null;
}

/** Reads the request, lets its conversation choose a fault, and returns how it would be answered without one. */
async function receive(world: World, exchange: Exchange, url: URL): Promise<() => Answer> {
  if (exchange.endpoint === 'upload') return receiveUpload(world, exchange);
  if (exchange.endpoint === 'other' && exchange.record.method === 'GET') {
    takeFault(exchange, conversationOf(url, {}));
    await discardBody(exchange);
    return () => answerConversations(world, exchange, url, {});
  }
  const json = await readJson(exchange);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return () => leadwayError(400, 'Unexpected token in JSON');
  }
  const body = json as Readonly<Record<string, unknown>>;
  const conversationId = body['conversationId'];
  if (typeof conversationId === 'string') takeFault(exchange, conversationId);
  if (exchange.endpoint === 'initiate') return () => initiateUpload(world, exchange, body);
  if (exchange.endpoint === 'complete') return () => completeUpload(world, exchange, body);
  return () => answerConversations(world, exchange, url, body);
}
