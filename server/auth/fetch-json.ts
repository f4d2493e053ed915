import type { IncomingMessage } from 'node:http';
import { readBody } from '../http/body.ts';
import { toTarget, type UpstreamAgent } from '../leadway/agent.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

/** Reads a JSON document. */
export type FetchJson = (url: URL, signal: AbortSignal) => Promise<unknown>;

/**
 * Reads documents of an OpenID provider: bounded in time and size, and never by a redirect, which could lead to anybody's
 * keys.
 */
export function createFetchJson(agent: UpstreamAgent): FetchJson {
  return (url, signal) => fetchJson(agent, url, signal);
}

async function fetchJson(agent: UpstreamAgent, url: URL, signal: AbortSignal): Promise<unknown> {
  const request = agent.request(toTarget(url), {
    headers: {
      Accept: 'application/json, application/jwk-set+json',
      'Accept-Encoding': 'identity',
      'User-Agent': 'leadway-bff',
    },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
  const { statusCode: status = 0 } = response;
  try {
    const body = await readBody(response, MAX_BYTES);
    if (status !== 200) throw new Error(`${url.origin}${url.pathname} responds with status ${status}`);
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    response.destroy();
    throw error;
  }
}
