/** What the header block of one multipart part says. */
export interface PartHead {
  /** Field name. */
  name: string;
  /** Null for a text field; a file may have an empty one. */
  filename: string | null;
  /** Empty when the part has none. */
  contentType: string;
}

/** Reads a part's header block; null if it has no usable `Content-Disposition: form-data`. */
export function parsePartHead(block: string): PartHead | null {
  const headers = new Map<string, string>();
  for (const line of block.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name !== '' && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const disposition = headers.get('content-disposition') ?? '';
  const parameters = parseDisposition(disposition);
  const name = parameters?.get('name');
  if (parameters === null || name === undefined) return null;
  const filename = decodeExtended(parameters.get('filename*')) ?? parameters.get('filename') ?? null;
  return { name, filename, contentType: headers.get('content-type') ?? '' };
}

const PARAMETER = /\s*;\s*([^\s=;"]+)\s*=\s*(?:("(?:[^"\\]|\\.)*")|([^\s;"]*))/y;
// Browsers escape quotes by %22 and leave backslashes alone, so `"C:\"` is a whole string of theirs.
const PLAIN_PARAMETER = /\s*;\s*([^\s=;"]+)\s*=\s*(?:("[^"]*")|([^\s;"]*))/y;

function parseDisposition(value: string): Map<string, string> | null {
  const kind = /^form-data(?=\s*(?:;|$))/i.exec(value);
  if (kind === null) return null;
  return (
    readParameters(value, kind[0].length, PARAMETER) ?? readParameters(value, kind[0].length, PLAIN_PARAMETER)
  );
}

function readParameters(value: string, start: number, pattern: RegExp): Map<string, string> | null {
  const parameters = new Map<string, string>();
  let position = start;
  while (value.slice(position).replaceAll(';', '').trim() !== '') {
    pattern.lastIndex = position;
    const match = pattern.exec(value);
    if (match === null) return null;
    const [, name = '', quoted, token = ''] = match;
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? token : unquote(quoted));
    position = pattern.lastIndex;
  }
  return parameters;
}

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(["\\])/g, '$1')
    .replace(/%22/g, '"')
    .replace(/%0D/gi, '\r')
    .replace(/%0A/gi, '\n');
}

function decodeExtended(value: string | undefined): string | null {
  const encoded = value === undefined ? null : /^utf-8'[^']*'(.*)$/i.exec(value)?.[1];
  if (encoded === null || encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
