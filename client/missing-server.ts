import type { ErrorFactory, Text } from './messages.ts';
import type { UploadError } from './upload-error.ts';

const CAUSES = {
  silent: [
    'Nothing responds at {url}: start the upload server, or correct `endpoint`.',
    'Nada responde en {url}: arranca el servidor de subidas o corrige `endpoint`.',
  ],
  html: [
    '{url} is not the upload server (status {status}): correct `endpoint`, or let the dev server proxy this path to it.',
    '{url} no es el servidor de subidas (estado {status}): corrige `endpoint`, o haz que el servidor de desarrollo le pase esta ruta.',
  ],
  status: [
    '{url} responds with status {status}, but not the upload server: start it, or correct the proxy’s target.',
    '{url} responde con estado {status}, pero no el servidor de subidas: arráncalo o corrige el destino del proxy.',
  ],
  redirect: [
    '{url} was redirected: correct `endpoint`, or sign in and reload the page.',
    '{url} fue redirigida: corrige `endpoint`, o inicia sesión y recarga la página.',
  ],
  cors: [
    'Nothing that this page may read responds at {url}: start the upload server, or add {origin} to its ALLOWED_ORIGINS.',
    'En {url} no responde nada que esta página pueda leer: arranca el servidor de subidas o añade {origin} a su ALLOWED_ORIGINS.',
  ],
} as const satisfies Readonly<Record<string, Text>>;

/** A response that did not come from the upload server; status 0 when there was none. */
export interface ForeignResponse {
  readonly status: number;
  readonly responseURL: string;
}

/** Finds out why no upload server responds at `path`, and says what to do. */
export function explainMissingServer(
  path: string,
  { status, responseURL }: ForeignResponse,
  { say, toError }: ErrorFactory,
): UploadError {
  const page = globalThis.location;
  const url = page ? new URL(path, page.href).href : path;
  let reason: keyof typeof CAUSES = 'silent';
  if (!status) {
    if (page && new URL(url).origin !== page.origin) reason = 'cors';
  } else if (responseURL && responseURL !== url) reason = 'redirect';
  else reason = status < 400 || status === 404 ? 'html' : 'status';
  const message = say(CAUSES[reason], { url, status, origin: page?.origin });
  return toError('SERVER_NOT_FOUND', { status, retryable: true, details: { reason, url } }, message);
}
