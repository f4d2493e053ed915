import { LEADING_BYTES } from '../file-type.ts';
import { encodingOf } from './text.ts';

/**
 * The elements by which the WHATWG MIME Sniffing Standard, section 7.1, knows an HTML document.
 * A comment alone makes no HTML here: Markdown begins with them too.
 */
const HTML_ELEMENTS: ReadonlySet<string> = new Set(
  'html head script iframe h1 div font table a style title b body br p'.split(' '),
);

/**
 * Whether a text is an SVG or HTML document, by its first tag: byte order mark, spaces, comments,
 * processing instructions and doctypes may come before it, and a prefix before its name. Looks no further than the
 * LEADING_BYTES: the work is quadratic in it, and a whole file must not get another result than its beginning.
 */
export function sniffMarkup(bytes: Buffer): 'image/svg+xml' | 'text/html' | null {
  let rest = decode(bytes.subarray(0, LEADING_BYTES));
  for (;;) {
    rest = rest.trimStart();
    if (rest.startsWith('<!--')) rest = after(rest, '-->');
    else if (rest.startsWith('<?')) rest = after(rest, '>');
    else if (/^<!doctype/i.test(rest)) {
      if (/^<!doctype\s+(\w+:)?html\b/i.test(rest)) return 'text/html';
      if (/^<!doctype\s+(\w+:)?svg\b/i.test(rest)) return 'image/svg+xml';
      rest = afterDoctype(rest);
    } else break;
  }
  const name = /^<(?:[\w.-]+:)?([a-z][a-z0-9]*)(?=[\s/>]|$)/i.exec(rest)?.[1]?.toLowerCase();
  if (name === 'svg') return 'image/svg+xml';
  return name && HTML_ELEMENTS.has(name) ? 'text/html' : null;
}

function after(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at === -1 ? '' : text.slice(at + mark.length);
}

/** An internal subset holds `>` itself and ends with `]`. */
function afterDoctype(text: string): string {
  const end = text.indexOf('>');
  const subset = text.indexOf('[');
  return subset !== -1 && subset < end ? after(after(text, ']'), '>') : after(text, '>');
}

function decode(bytes: Buffer): string {
  const encoding = encodingOf(bytes);
  if (encoding === 'bytes') return bytes.toString('utf8'); // other bytes than ASCII do not matter here
  const units = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return (encoding === 'utf16be' ? units.swap16() : units).toString('utf16le');
}
