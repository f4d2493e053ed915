import { badMultipart } from '../../server/errors/factories.ts';

/** What the headers of a part say. */
export interface PartHeaders {
  readonly name: string;
  /** As written. Null for a text field; empty when a file input was left empty. */
  readonly filename: string | null;
  /** Whether the name comes from `filename*` and is decoded. */
  readonly isFilenameExtended: boolean;
  /** Null when the part has no `Content-Type`. */
  readonly contentType: string | null;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Name, quoted value, token. Without named groups, which make an object for each match. */
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'+^_`|~0-9A-Za-z.-]+\*?)=(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;"]*))/y;
const LAST_SEMICOLON = /[ \t]*;$/y;
/** Content is passed on as it is, so only encodings that change nothing are accepted. */
const PLAIN_ENCODINGS = new Set(['binary', '8bit', '7bit']);

/**
 * Reads the headers of a part (RFC 7578, section 4).
 *
 * @throws AppError `BAD_MULTIPART` for what parsers are known to read differently: doubled or folded
 *   headers and parameters, another disposition, encoded or nested content.
 */
export function parsePartHeaders(bytes: Buffer): PartHeaders {
  const headers = parseHeaders(bytes.toString('utf8'));
  const disposition = headers.get('content-disposition');
  if (disposition === undefined) throw badMultipart('noDisposition');
  const encoding = headers.get('content-transfer-encoding');
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase())) {
    throw badMultipart('transferEncoding');
  }
  const contentType = headers.get('content-type') ?? null;
  if (contentType !== null && isNested(contentType)) throw badMultipart('nested');
  return parseDisposition(disposition, contentType);
}

/** `multipart/x-zip` is what some machines call a ZIP, and has no parts. */
function isNested(contentType: string): boolean {
  return /^multipart\/(?!x-zip[ \t]*(?:;|$))/i.test(contentType);
}

/** @throws AppError `BAD_MULTIPART` when a line of `headers` ends in LF alone. */
export function assertNoBareLineFeed(headers: Buffer): void {
  if (/(?<!\r)\n/.test(headers.toString('latin1'))) throw badMultipart('lineEnds');
}

/**
 * The name of the file as its user knows it.
 *
 * Browsers escape line ends and quotes, and nothing else (WHATWG). Others, such as React Native since 0.76, send
 * `encodeURIComponent(name)`.
 */
export function decodeFilename(headers: PartHeaders, isFromBrowser: boolean): string {
  const filename = headers.filename ?? '';
  if (headers.isFilenameExtended || !filename.includes('%')) return filename;
  const decoded = isFromBrowser ? null : decodeComponent(filename);
  if (decoded !== null && encodeURIComponent(decoded) === filename) return decoded;
  return filename.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replace(/%22/g, '"');
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    if (line.includes('\n')) throw badMultipart('lineEnds');
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    // A folded line begins with a space, so it has no token for a name.
    const key = name.toLowerCase();
    // File names may hold control characters, which are removed; but a CR would end the header for other parsers,
    // and a NUL the name.
    const isMalformed = key === 'content-disposition' ? /[\r\0]/.test(line) : hasControls(line);
    if (!TOKEN.test(name) || isMalformed) throw badMultipart('header');
    if (headers.has(key)) throw badMultipart('duplicateHeader', { header: key });
    headers.set(key, line.slice(colon + 1).trim());
  }
  return headers;
}

function hasControls(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(line);
}

function parseDisposition(value: string, contentType: string | null): PartHeaders {
  const semicolon = value.indexOf(';');
  const typeEnd = semicolon === -1 ? value.length : semicolon;
  if (value.slice(0, typeEnd).trim().toLowerCase() !== 'form-data') throw badMultipart('notFormData');
  const parameters = parseParameters(value, typeEnd);
  // Some parsers let `name*` replace `name`, others don't know it: the field would be another one to them.
  if (parameters.has('name*')) throw badMultipart('extendedName');
  const name = parameters.get('name');
  if (name === undefined || name === '') throw badMultipart('noName');
  const plain = parameters.get('filename') ?? null;
  const extended = parameters.get('filename*');
  // .NET and others send both; the extended one is there because the plain one could not hold the name.
  const decoded = extended === undefined ? null : decodeExtended(extended);
  const isFilenameExtended = decoded !== null && (decoded !== '' || plain === null);
  if (extended !== undefined && plain === null && !isFilenameExtended) throw badMultipart('extendedFilename');
  return { name, filename: isFilenameExtended ? decoded : plain, isFilenameExtended, contentType };
}

/** `value` has no spaces at its end. */
function parseParameters(value: string, from: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  let at = from;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(value);
    if (match === null) {
      LAST_SEMICOLON.lastIndex = at;
      if (LAST_SEMICOLON.test(value)) break;
      throw badMultipart('disposition');
    }
    const key = (match[1] ?? '').toLowerCase();
    if (parameters.has(key)) throw badMultipart('duplicateParameter', { parameter: key });
    let text = withoutEscapes(match[2]) ?? match[3] ?? '';
    at = PARAMETER.lastIndex;
    if (key === 'filename*' && match[2] === undefined) {
      const rest = restOfExtended(value, at, text, parameters.get('filename'));
      text += rest;
      at += rest.length;
    }
    parameters.set(key, text);
  }
  return parameters;
}

/**
 * The rest of an unquoted `filename*`. React Native builds it with `encodeURI`, which keeps semicolons; others leave
 * spaces.
 */
function restOfExtended(value: string, at: number, token: string, plain: string | undefined): string {
  if (plain?.includes(';')) {
    const written = `utf-8''${encodeURI(plain)}`;
    const rest = written.slice(token.length);
    if (written.startsWith(token) && value.startsWith(rest, at)) return rest;
  }
  return /^[^;"]*/.exec(value.slice(at))?.[0] ?? '';
}

/** Only these two are escapes: Internet Explorer sent whole Windows paths with bare backslashes. */
function withoutEscapes(quoted: string | undefined): string | undefined {
  return quoted?.includes('\\') ? quoted.replace(/\\(["\\])/g, '$1') : quoted;
}

/**
 * `UTF-8''na%C3%AFve.png` (RFC 8187), with the characters that `encodeURI` leaves alone besides. Null if it is
 * anything else.
 */
function decodeExtended(value: string): string | null {
  const encoded = /^utf-8'[A-Za-z0-9-]*'([\x21\x23-\x7e]*)$/i.exec(value)?.[1];
  return encoded === undefined ? null : decodeComponent(encoded);
}

/** Null when the percent codes are malformed or not UTF-8. */
function decodeComponent(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
