import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import zlib from 'node:zlib';
import { z } from 'zod';
import { appError } from '../errors/app-error.ts';
import { BodyOverflowError, readBody } from '../http/body.ts';
import { type JsonObject, parseJsonObject } from '../json-object.ts';
import { type LeadwayRejection, parseRejection } from './errors.ts';

/** Leadway's response to a call, read whole. */
export type LeadwayResponse =
  | { readonly ok: true; readonly status: number; readonly json: JsonObject }
  | { readonly ok: false; readonly status: number; readonly rejection: LeadwayRejection };

/** The largest response bodies that are read, in bytes, compressed and not. */
const MAX_JSON_BYTES = 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** The largest body of a response with `status` that is read, in bytes. */
export function maxResponseBytes(status: number): number {
  return isSuccess(status) ? MAX_JSON_BYTES : MAX_ERROR_BYTES;
}

/**
 * Reads a response of Leadway to its end.
 *
 * @throws AppError `UPSTREAM_ERROR` when a success is not a JSON object; whatever `readBody` throws.
 */
export async function readResponse(response: IncomingMessage): Promise<LeadwayResponse> {
  const { statusCode: status = 0, headers } = response;
  const body = await readBody(response, maxResponseBytes(status)).catch((error: unknown) => {
    response.destroy();
    if (error instanceof BodyOverflowError) return null;
    throw error;
  });
  return parseResponse(status, headers, body);
}

/**
 * Makes sense of a response that was read.
 *
 * @param body Null when it was larger than {@link maxResponseBytes}.
 * @throws AppError `UPSTREAM_ERROR` when a success is not a JSON object.
 */
export function parseResponse(
  status: number,
  headers: IncomingHttpHeaders,
  body: Buffer | null,
): LeadwayResponse {
  if (isSuccess(status)) return { ok: true, status, json: parseSuccess(toText(body, headers, status)) };
  return {
    ok: false,
    status,
    rejection: parseRejection(status, toErrorText(body, headers, status), headers),
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function toText(body: Buffer | null, headers: IncomingHttpHeaders, status: number): string {
  const maxBytes = maxResponseBytes(status);
  let text = body;
  for (const coding of codingsOf(headers).reverse()) text = text && decode(text, coding, maxBytes);
  if (text !== null) return text.toString('utf8');
  throw appError('UPSTREAM_ERROR', { cause: new BodyOverflowError(`more than ${maxBytes} bytes`) });
}

/** If the error body can't be read, its status is enough. */
function toErrorText(body: Buffer | null, headers: IncomingHttpHeaders, status: number): string {
  try {
    return toText(body, headers, status);
  } catch {
    return '';
  }
}

/** We ask for `identity`, but some CDNs compress whatever the request says. */
function codingsOf(headers: IncomingHttpHeaders): string[] {
  const codings = headers['content-encoding']?.toLowerCase().split(',') ?? [];
  return codings.map((coding) => coding.trim()).filter((coding) => coding !== '' && coding !== 'identity');
}

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', zlib.gunzipSync],
  ['x-gzip', zlib.gunzipSync],
  // Some servers send deflate without the zlib header that RFC 9110, section 8.4.1.2 asks for.
  [
    'deflate',
    (body, options) => (hasZlibHeader(body) ? zlib.inflateSync : zlib.inflateRawSync)(body, options),
  ],
  ['br', zlib.brotliDecompressSync],
  ['zstd', zlib.zstdDecompressSync],
]);

function hasZlibHeader([first = 0]: Buffer): boolean {
  return (first & 0x0f) === 8;
}

/** Synchronous, because `maxBytes` is small and responses are rarely compressed. Null when it is larger. */
function decode(body: Buffer, coding: string, maxBytes: number): Buffer | null {
  if (body.length === 0) return body;
  const decoder = DECODERS.get(coding);
  if (decoder === undefined) {
    throw appError('UPSTREAM_ERROR', { cause: new Error('the response has an unknown Content-Encoding') });
  }
  try {
    return decoder(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return null;
    throw appError('UPSTREAM_ERROR', { cause });
  }
}

function parseSuccess(body: string): JsonObject {
  try {
    return parseJsonObject(body);
  } catch (cause) {
    throw appError('UPSTREAM_ERROR', { cause });
  }
}

/** The response of `initiate`: where one file may be put, and until when. */
export const initiateResponse = z.object({
  uploadUrl: z.string().max(8 * 1024),
  uploadId: z.string().min(1).max(256),
  filePath: z.string().min(1).max(1024),
  // Unix milliseconds by the specification; a date in words is understood too.
  expiresAt: z.union([
    z.number().positive(),
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  ]),
  maxFileSize: z.number().positive(),
});

/** The response of `complete`: the public URL of the stored file. */
export const completeResponse = z.object({
  uploadedFiles: z.record(z.string(), z.string()),
  metadata: z
    .object({
      // A number may come as text; anything else is not a size.
      size: z
        .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
        .optional()
        .catch(undefined),
      contentType: z.string().optional().catch(undefined),
    })
    .catch({}),
});

/** The response of an upload: a public URL for each file. */
export const uploadResponse = z.object({
  uploadedFiles: z.record(z.string(), z.string()),
  twilioMediaSids: z.array(z.string()).optional(),
});
