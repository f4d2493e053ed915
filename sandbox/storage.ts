import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { discardBody, readBody } from './body.ts';
import { corsHeaders, preflightHeaders } from './bucket-cors.ts';
import { injectAtEnd, injectAtStart } from './fault-injection.ts';
import type { StoredFile } from './file-store.ts';
import { createIncomingFile } from './incoming-file.ts';
import {
  deliver,
  handleRequest,
  type RequestContext,
  type SandboxResponse,
  takeFault,
} from './request-context.ts';
import { EXPIRED_TOKEN, SIGNATURE_DOES_NOT_MATCH, type SignatureProblem } from './signed-url.ts';
import { BUCKET, type SandboxState } from './state.ts';

const PUBLIC_PREFIX = '/files/';

/** Makes the request listener of the storage stand-in. */
export function createStorage(state: SandboxState) {
  return function storage(req: IncomingMessage, res: ServerResponse): void {
    const url = new URL(`${state.storageOrigin}${req.url?.startsWith('/') ? req.url : '/'}`);
    const endpoint = req.method === 'PUT' ? 'storage' : 'view';
    void handleRequest(state, endpoint, req, res, (context) => serve(state, context, url));
  };
}

async function serve(state: SandboxState, context: RequestContext, url: URL): Promise<void> {
  const { method } = context.record;
  if (method === 'PUT') return storeObject(state, context, url);
  await discardBody(context);
  if (method === 'OPTIONS') {
    return deliver(context, {
      status: 200,
      headers: preflightHeaders(state.settings, context.req.headers),
    });
  }
  if (method === 'GET' || method === 'HEAD') {
    if (url.pathname.startsWith(PUBLIC_PREFIX)) return showFile(state, context, url);
    return deliver(context, xmlError(checkSignature(state, context, url) ?? SIGNATURE_DOES_NOT_MATCH));
  }
  return deliver(
    context,
    xmlError({ status: 405, code: 'MethodNotAllowed', message: 'Method not allowed.' }),
  );
}

/** GCS leaves the CORS headers off its errors, so a browser sees nothing but a network failure. */
function xmlError({ status, code, message }: SignatureProblem): SandboxResponse {
  return {
    status,
    headers: { 'Content-Type': 'application/xml; charset=UTF-8' },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}

function checkSignature(state: SandboxState, { req }: RequestContext, url: URL): SignatureProblem | null {
  return state.signer.verify({
    method: req.method ?? '',
    url,
    host: req.headers.host ?? '',
    contentType: req.headers['content-type'],
  });
}

function faultProblem(fault: string | null): SignatureProblem | null {
  if (fault === 'storage-403') return SIGNATURE_DOES_NOT_MATCH;
  if (fault === 'storage-expired') return EXPIRED_TOKEN;
  const status = Number(/^storage-status-(\d{3})$/.exec(fault ?? '')?.[1] ?? 0);
  return status === 0 ? null : { status, code: 'SandboxFault', message: `Sandbox fault ${status}` };
}

async function storeObject(state: SandboxState, context: RequestContext, url: URL): Promise<void> {
  const { req, record, settings } = context;
  const filePath = url.pathname.slice(`/${BUCKET}/`.length);
  takeFault(context, state.uploads.get(filePath)?.conversationId ?? null);
  injectAtStart(context);

  const problem = faultProblem(context.fault) ?? checkSignature(state, context, url);
  if (problem !== null) await deliver(context, xmlError(problem));

  const contentType = req.headers['content-type'] ?? '';
  const file = createIncomingFile({ name: 'body', filename: filePath, contentType }, !settings.discardFiles);
  record.files = [file.record];
  let stored: StoredFile;
  try {
    for await (const piece of readBody(context)) file.add(piece);
    record.complete = true;
  } finally {
    stored = file.end(record.complete);
    context.changed();
  }
  if (context.responded) return;
  await injectAtEnd(context, '');
  // Only now: an upload that was cut short, or that a fault swallowed, leaves nothing behind.
  state.files.put(filePath, stored);
  await deliver(context, {
    status: 200,
    headers: {
      ...corsHeaders(settings, req.headers),
      ETag: `"${Buffer.from(stored.md5, 'base64').toString('hex')}"`,
      'X-Goog-Hash': `md5=${stored.md5}`,
      'X-Goog-Generation': String(settings.now() * 1000),
      'X-Goog-Stored-Content-Length': String(stored.size),
      'X-Goog-Stored-Content-Encoding': 'identity',
      'Content-Type': 'text/html; charset=UTF-8',
    },
  });
}

async function showFile(state: SandboxState, context: RequestContext, url: URL): Promise<void> {
  const { req, res, record } = context;
  const file = state.files.get(decodeURIComponent(url.pathname.slice(PUBLIC_PREFIX.length)));
  if (file?.contents == null) {
    return deliver(
      context,
      xmlError({ status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' }),
    );
  }
  record.status = 200;
  context.responded = true;
  res.writeHead(200, {
    'Content-Type': file.contentType,
    'Content-Length': file.size,
    'Content-Disposition': 'inline',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
  await pipeline(Readable.from(req.method === 'HEAD' ? [] : file.contents), res);
  context.changed();
}
