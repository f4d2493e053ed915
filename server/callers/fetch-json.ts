const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;

/**
 * Reads a JSON document of an OpenID provider: bounded in time and size, and never by a redirect, which could
 * lead to anybody's keys.
 */
export async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json, application/jwk-set+json' },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${url.origin} answers more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (!response.ok) throw new Error(`${url.origin}${url.pathname} answers ${response.status}`);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}
