import type { IncomingMessage } from 'node:http';
import zlib from 'node:zlib';
import { AppError, appError } from '../errors/app-error.ts';
import { BodyOverflowError, readBody } from '../http/read-body.ts';
import { type JsonObject, parseJsonObject } from '../json-object.ts';
import { type LeadwayRejection, parseRejection } from './leadway-errors.ts';

/** Leadway's response to a call, read whole. */
export type LeadwayResponse =
  | { readonly ok: true; readonly status: number; readonly json: JsonObject }
  | { readonly ok: false; readonly status: number; readonly rejection: LeadwayRejection };

/** The largest response bodies that are read, in bytes, compressed and not. */
const MAX_JSON_BYTES = 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Reads a response of Leadway to its end.
 *
 * @throws AppError `UPSTREAM_ERROR` when a success is not a JSON object; whatever `readBody` throws.
 */
export async function readResponse(response: IncomingMessage): Promise<LeadwayResponse> {
  const { statusCode: status = 0, headers } = response;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess) return { ok: true, status, json: parseSuccess(await readText(response, MAX_JSON_BYTES)) };
  // An error that can't be read is an error all the same: its status counts.
  const body = await readText(response, MAX_ERROR_BYTES).catch((error: unknown) => {
    if (error instanceof BodyOverflowError || error instanceof AppError) return '';
    throw error;
  });
  return { ok: false, status, rejection: parseRejection(status, body, headers) };
}

async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  try {
    let body = await readBody(response, maxBytes);
    for (const coding of codingsOf(response).reverse()) body = decode(body, coding, maxBytes);
    return body.toString('utf8');
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** We ask for `identity`, but some CDNs compress whatever the request says. */
function codingsOf({ headers }: IncomingMessage): string[] {
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

/** At once and not in a thread: `maxBytes` is little, and hardly any response is compressed. */
function decode(body: Buffer, coding: string, maxBytes: number): Buffer {
  if (body.length === 0) return body;
  const decoder = DECODERS.get(coding);
  if (decoder === undefined) {
    throw appError('UPSTREAM_ERROR', { cause: new Error('the response has an unknown Content-Encoding') });
  }
  try {
    return decoder(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge
      ? new BodyOverflowError(`more than ${maxBytes} bytes when decompressed`)
      : appError('UPSTREAM_ERROR', { cause });
  }
}

function parseSuccess(body: string): JsonObject {
  try {
    return parseJsonObject(body);
  } catch (cause) {
    throw appError('UPSTREAM_ERROR', { cause });
  }
}
