import { badMultipart } from './bad-multipart.ts';

/** What the headers of a part say. */
export interface PartHead {
  readonly name: string;
  /** Null for a text field; empty when a file input was left empty. */
  readonly filename: string | null;
  /** Null when the part has no `Content-Type`. */
  readonly contentType: string | null;
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Name, quoted value, token. By position: each match of a pattern with named groups makes a dictionary. */
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'+^_`|~0-9A-Za-z.-]+\*?)=(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;"]*))/y;
/** Content is passed on as it is, so only encodings that change nothing are taken. */
const PLAIN_ENCODINGS = new Set(['binary', '8bit', '7bit']);

/**
 * Reads the headers of a part (RFC 7578, section 4).
 *
 * @throws AppError `BAD_MULTIPART` for whatever parsers are known to read differently: doubled or folded
 *   headers and parameters, another disposition, encoded or nested content.
 */
export function parsePartHead(bytes: Buffer): PartHead {
  const headers = parseHeaders(bytes.toString('utf8'));
  const disposition = headers.get('content-disposition');
  if (disposition === undefined) throw badMultipart('a part has no Content-Disposition');
  const encoding = headers.get('content-transfer-encoding');
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase())) {
    throw badMultipart('a part has a Content-Transfer-Encoding');
  }
  const contentType = headers.get('content-type') ?? null;
  if (contentType !== null && isNested(contentType)) throw badMultipart('a part is multipart itself');
  return parseDisposition(disposition, contentType);
}

/** `multipart/x-zip` is what some machines call a ZIP, and has no parts. */
function isNested(contentType: string): boolean {
  return /^multipart\/(?!x-zip[ \t]*(?:;|$))/i.test(contentType);
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    // A folded line begins with a blank, so it has no token for a name.
    const key = name.toLowerCase();
    // File names may hold control characters, which are taken out; but a line end would be a header to others,
    // and a NUL the end of the name.
    const isMalformed =
      key === 'content-disposition' ? /[\r\n]/.test(line) || line.includes('\0') : hasControls(line);
    if (!TOKEN.test(name) || isMalformed) throw badMultipart('a part has a malformed header');
    if (headers.has(key)) throw badMultipart(`a part has two ${key} headers`);
    headers.set(key, line.slice(colon + 1).trim());
  }
  return headers;
}

function hasControls(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
  return /[\u0000-\u0008\u000a-\u001f\u007f]/.test(line);
}

function parseDisposition(value: string, contentType: string | null): PartHead {
  const semicolon = value.indexOf(';');
  const typeEnd = semicolon === -1 ? value.length : semicolon;
  if (value.slice(0, typeEnd).trim().toLowerCase() !== 'form-data')
    throw badMultipart('a part is not form-data');
  const parameters = parseParameters(value, typeEnd);
  const name = parameters.get('name');
  if (name === undefined || name === '') throw badMultipart('a part has no name');
  // .NET and others send both; the extended one is there because the plain one could not hold the name.
  const extended = parameters.get('filename*');
  const filename = extended === undefined ? parameters.get('filename') : decodeExtended(extended);
  return { name, filename: filename ?? null, contentType };
}

/** `value` has no blanks at its end. */
function parseParameters(value: string, from: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  let at = from;
  while (at < value.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(value);
    if (match === null) throw badMultipart('a part has a malformed Content-Disposition');
    const key = (match[1] ?? '').toLowerCase();
    if (parameters.has(key)) throw badMultipart(`a part has two parameters ${key}`);
    parameters.set(key, withoutEscapes(match[2]) ?? match[3] ?? '');
    at = PARAMETER.lastIndex;
  }
  return parameters;
}

/** Only these two are escapes: Internet Explorer sent whole Windows paths with bare backslashes. */
function withoutEscapes(quoted: string | undefined): string | undefined {
  return quoted?.includes('\\') ? quoted.replace(/\\(["\\])/g, '$1') : quoted;
}

/** `UTF-8''na%C3%AFve.png` (RFC 8187). */
function decodeExtended(value: string): string {
  const match = /^utf-8'[A-Za-z0-9-]*'((?:[!#$&+.^_`|~0-9A-Za-z-]|%[0-9A-Fa-f]{2})*)$/i.exec(value);
  try {
    if (match?.[1] !== undefined) return decodeURIComponent(match[1]);
  } catch {
    // Falls through: the percent codes are not UTF-8.
  }
  throw badMultipart('a part has a malformed filename*');
}
