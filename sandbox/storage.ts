import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { discardBody, readBody } from './body.ts';
import { corsHeaders, preflightHeaders } from './bucket-cors.ts';
import { type Answer, deliver, type Exchange, runExchange, takeFault } from './exchange.ts';
import { playAtEnd, playAtStart } from './fault-play.ts';
import { createIntake } from './file-intake.ts';
import type { StoredFile } from './file-store.ts';
import { EXPIRED_TOKEN, SIGNATURE_DOES_NOT_MATCH, type SignatureProblem } from './signed-url.ts';
import { BUCKET, type World } from './world.ts';

const PUBLIC_PREFIX = '/files/';

/** Makes the request listener of the storage stand-in. */
export function createStorage(world: World) {
  return function storage(req: IncomingMessage, res: ServerResponse): void {
    const url = new URL(`${world.storageOrigin}${req.url?.startsWith('/') ? req.url : '/'}`);
    const endpoint = req.method === 'PUT' ? 'storage' : 'view';
    void runExchange(world, endpoint, req, res, (exchange) => serve(world, exchange, url));
  };
}

async function serve(world: World, exchange: Exchange, url: URL): Promise<void> {
  const { method } = exchange.record;
  if (method === 'PUT') return storeObject(world, exchange, url);
  await discardBody(exchange);
  if (method === 'OPTIONS') {
    return deliver(exchange, {
      status: 200,
      headers: preflightHeaders(world.settings, exchange.req.headers),
    });
  }
  if (method === 'GET' || method === 'HEAD') {
    if (url.pathname.startsWith(PUBLIC_PREFIX)) return showFile(world, exchange, url);
    return deliver(exchange, xmlError(checkSignature(world, exchange, url) ?? SIGNATURE_DOES_NOT_MATCH));
  }
  return deliver(
    exchange,
    xmlError({ status: 405, code: 'MethodNotAllowed', message: 'Method not allowed.' }),
  );
}

/** GCS leaves the CORS headers off its errors, so a browser sees nothing but a network failure. */
function xmlError({ status, code, message }: SignatureProblem): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/xml; charset=UTF-8' },
    body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}

function checkSignature(world: World, { req }: Exchange, url: URL): SignatureProblem | null {
  return world.signer.verify({
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

async function storeObject(world: World, exchange: Exchange, url: URL): Promise<void> {
  const { req, record, settings } = exchange;
  const filePath = url.pathname.slice(`/${BUCKET}/`.length);
  takeFault(exchange, world.uploads.get(filePath)?.conversationId ?? null);
  playAtStart(exchange);

  const problem = faultProblem(exchange.fault) ?? checkSignature(world, exchange, url);
  if (problem !== null) await deliver(exchange, xmlError(problem));

  const contentType = req.headers['content-type'] ?? '';
  const intake = createIntake({ name: 'body', filename: filePath, contentType }, !settings.discardFiles);
  record.files = [intake.record];
  let stored: StoredFile;
  try {
    for await (const piece of readBody(exchange)) intake.add(piece);
    record.complete = true;
  } finally {
    stored = intake.end(record.complete);
    exchange.changed();
  }
  if (exchange.answered) return;
  await playAtEnd(exchange, '');
  // Only now: an upload that was cut short, or that a fault swallowed, leaves nothing behind.
  world.files.put(filePath, stored);
  await deliver(exchange, {
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

async function showFile(world: World, exchange: Exchange, url: URL): Promise<void> {
  const { req, res, record } = exchange;
  const file = world.files.get(decodeURIComponent(url.pathname.slice(PUBLIC_PREFIX.length)));
  if (file?.contents == null) {
    return deliver(
      exchange,
      xmlError({ status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' }),
    );
  }
  record.status = 200;
  exchange.answered = true;
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
  exchange.changed();
}
