import type { UpstreamAgent } from '../leadway/agent.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

/** Fetches a document with GET. */
export type FetchDocument = (url: string, options: { readonly signal: AbortSignal }) => Promise<Response>;

/**
 * Makes the `fetch` for the documents of an OpenID provider: bounded in time and size, and without redirects, which could
 * lead to anybody's keys. It connects by the rules of all outbound requests.
 */
export function createIssuerFetch(agent: UpstreamAgent): FetchDocument {
  return async function fetchDocument(href, { signal }) {
    const url = new URL(href);
    const { status, body } = await agent.exchange({
      method: 'GET',
      url,
      path: `${url.pathname}${url.search}`,
      headers: [
        'Accept',
        'application/json, application/jwk-set+json',
        'Accept-Encoding',
        'identity',
        'User-Agent',
        'leadway-bff',
      ],
      body: null,
      timeoutMs: TIMEOUT_MS,
      signal,
      connection: 'pooled',
      maxBytes: () => MAX_BYTES,
    });
    if (body === null) throw new Error(`${url.origin}${url.pathname} is larger than ${MAX_BYTES} bytes`);
    if (status !== 200) throw new Error(`${url.origin}${url.pathname} responds with status ${status}`);
    return new Response(new Uint8Array(body));
  };
}
