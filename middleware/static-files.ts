import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { createMethodNotAllowed } from './error-handler.ts';

/** A response body that is hashed and compressed once and then served from memory. */
export interface StaticFile {
  readonly contentType: string;
  readonly body: Buffer;
  /** Null where compressing gains nothing. */
  readonly gzipped: Buffer | null;
  /** Weak, since it stands for both of them. */
  readonly etag: string;
}

/** What {@link createStaticFiles} serves at a path. */
export interface FileSource {
  readonly file: URL;
  readonly contentType: string;
  /** Converts the file before it is served. Default: no conversion. */
  readonly transform?: (source: string) => string;
}

const compress = promisify(gzip);

/** Prepares `content` for {@link sendStaticFile}. */
export async function toStaticFile(content: string | Buffer, contentType: string): Promise<StaticFile> {
  const body = Buffer.from(content);
  const gzipped = await compress(body, { level: 9 });
  return {
    contentType,
    body,
    gzipped: gzipped.length < body.length ? gzipped : null,
    etag: `W/"${createHash('sha256').update(body).digest('base64url')}"`,
  };
}

/** Sends `file` in the encoding that the client prefers, or 304 if the client has it. */
export function sendStaticFile(
  req: Request,
  res: Response,
  { contentType, body, gzipped, etag }: StaticFile,
  cacheControl = 'no-cache',
): void {
  res.set({ 'Content-Type': contentType, 'Cache-Control': cacheControl, ETag: etag });
  if (gzipped === null) {
    res.send(body);
    return;
  }
  res.vary('Accept-Encoding');
  const isGzip = req.acceptsEncodings(['gzip', 'identity']) === 'gzip';
  if (isGzip) res.set('Content-Encoding', 'gzip');
  res.send(isGzip ? gzipped : body);
}

/**
 * Serves files from memory. Each file is read on first use and cached, so no request holds a file open: a client that
 * pipelines requests without reading would exhaust descriptors.
 *
 * @param sourceOf What is served at a path; null leaves the request to the next handler, and so does a missing file.
 */
export function createStaticFiles(sourceOf: (path: string) => FileSource | null): RequestHandler {
  const readOnly = createMethodNotAllowed('GET', 'HEAD');
  const files = new Map<string, Promise<StaticFile | null>>();
  return async function staticFiles(req: Request, res: Response, next: NextFunction) {
    const source = sourceOf(req.path);
    if (source === null) return next();
    const known = files.get(req.path) ?? load(source);
    files.set(req.path, known);
    const file = await known.catch((error: unknown) => {
      files.delete(req.path);
      throw error;
    });
    if (file === null) {
      files.delete(req.path); // clients choose the paths of missing files, and could fill the memory with them
      return next();
    }
    if (req.method === 'GET' || req.method === 'HEAD') sendStaticFile(req, res, file);
    else readOnly(req, res, next);
  };
}

async function load({ file, contentType, transform }: FileSource): Promise<StaticFile | null> {
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (content === null) return null;
  return toStaticFile(transform === undefined ? content : transform(content.toString()), contentType);
}
