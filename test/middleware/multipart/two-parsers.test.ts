import assert from 'node:assert/strict';
import { FormParser } from '../../../middleware/multipart/parser.ts';
import { decodeFilename, type PartHeaders } from '../../../middleware/multipart/part-headers.ts';
import { createMultipartParser, MultipartError } from '../../../sandbox/multipart-parser.ts';
import { AppError } from '../../../server/errors/app-error.ts';
import { createRandom } from '../../helpers/random.ts';
import { inRandomPieces, LIMITS } from './parse-form.ts';

const B = 'XyZ';
const SEED_FORM = [
  `--${B}\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n`,
  `--${B}\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png\r\n\r\ntwo\r\nlines\r\n`,
  `--${B}\r\nContent-Disposition: form-data; name="b"\r\n\r\n\r\n--${B}--\r\n`,
].join('');

/** What attackers and careless clients put into forms. */
const SPLICES: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '--',
  '-',
  ';',
  '"',
  '\\',
  '\\"',
  '%22',
  '%0D%0A',
  `--${B}`,
  `--${B}--`,
  `\r\n--${B}`,
  `\r\n--${B}\r\n`,
  `\r\n--${B} \r\n`,
  `\r\n--${B}--`,
  `\r\n--${B}--\r\n`,
  `\n--${B}\n`,
  'Content-Disposition: form-data; name="c"\r\n',
  '; name="d"',
  "; name*=utf-8''e",
  '; filename="y.exe"',
  "; filename*=utf-8''z%2F.exe",
  "; filename*=latin1''z.exe",
  '\r\n folded',
  'Content-Type: multipart/mixed; boundary=x\r\n',
  'Content-Transfer-Encoding: base64\r\n',
];

/** The parts as name, file name and content. */
type Reading = readonly (readonly [name: string, filename: string | null, content: string])[];

/** Null if the form is rejected. */
function readStrictly(pieces: Iterable<Buffer>): Reading | null {
  const parts: [string, string | null, string][] = [];
  let file: PartHeaders | null = null;
  let content: Buffer[] = [];
  const parser = new FormParser(B, LIMITS, {
    onField: (head, value) => parts.push([head.name, null, value.toString('latin1')]),
    onFile(head) {
      file = head;
      content = [];
    },
    onFileData: (chunk) => content.push(chunk) > 0,
    onFileEnd() {
      if (file !== null) {
        parts.push([file.name, decodeFilename(file, true), Buffer.concat(content).toString('latin1')]);
      }
      return true;
    },
  });
  try {
    for (const piece of pieces) parser.write(piece);
    parser.end();
    return parts;
  } catch (error) {
    assert(error instanceof AppError, String(error));
    return null;
  }
}

/**
 * Escapes are decoded in quotes only or everywhere, of field names or not: no name of a known field holds what is
 * escaped, so this makes no difference that counts.
 */
function withoutEscapes(reading: Reading | null): Reading | null {
  const plain = (name: string): string =>
    name.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replace(/%22/g, '"');
  return reading?.map(([name, file, text]) => [plain(name), file && plain(file), text]) ?? null;
}

/**
 * Reads as a server does that takes whatever RFC 2046 allows: the sandbox, which shares no code with ours. Null where
 * the form has no end.
 */
function readLeniently(body: Buffer): Reading | null | 'rejected' {
  const parts: [string, string | null, string][] = [];
  const parser = createMultipartParser(B, {
    part: ({ name, filename }) => parts.push([name, filename, '']),
    data(piece) {
      const part = parts.at(-1);
      if (part !== undefined) part[2] += piece.toString('latin1');
    },
    partEnd: () => {},
  });
  try {
    parser.write(body);
  } catch (error) {
    assert(error instanceof MultipartError, String(error));
    return 'rejected';
  }
  // An empty file input is not a part.
  return parser.closed ? parts.filter(([, filename]) => filename !== '') : null;
}

function mutate(random: () => number): Buffer {
  let form = SEED_FORM;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const at = Math.floor(random() * (form.length + 1));
    const removed = random() < 0.3 ? Math.floor(random() * 6) : 0;
    form = form.slice(0, at) + pick(SPLICES) + form.slice(at + removed);
  }
  return Buffer.from(form, 'latin1');
}

describe('two parsers of one form', () => {
  it('read the same in every form that both accept', () => {
    let accepted = 0;
    for (let seed = 1; seed <= 20_000; seed++) {
      const body = mutate(createRandom(seed));
      const ours = readStrictly(inRandomPieces(body, 40, seed));
      if (ours === null) continue;
      accepted += 1;
      const theirs = readLeniently(body);
      if (theirs === 'rejected') continue;
      const form = `seed ${seed}: ${JSON.stringify(body.toString('latin1'))}`;
      assert.deepEqual(withoutEscapes(ours), withoutEscapes(theirs), form);
    }
    // Otherwise the generator proves nothing.
    assert(accepted > 2_000, `${accepted} accepted`);
  });
});
