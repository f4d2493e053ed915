import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { boundaryOf, createMultipartParser, MultipartError } from '../../sandbox/multipart-parser.ts';
import { type PartHead, parsePartHead } from '../../sandbox/part-headers.ts';
import { createRandom } from '../helpers/random.ts';
import { BOUNDARY, field, file, form } from './send.ts';

interface ParsedPart extends PartHead {
  data: Buffer;
  ended: boolean;
}

function parse(chunks: readonly Buffer[], boundary = BOUNDARY): { parts: ParsedPart[]; closed: boolean } {
  const parts: ParsedPart[] = [];
  const last = () => parts.at(-1) ?? assert.fail('data before a part');
  const parser = createMultipartParser(boundary, {
    part: (head) => parts.push({ ...head, data: Buffer.alloc(0), ended: false }),
    data: (piece) => {
      last().data = Buffer.concat([last().data, piece]);
    },
    partEnd: () => {
      last().ended = true;
    },
  });
  for (const chunk of chunks) parser.write(chunk);
  return { parts, closed: parser.closed };
}

function split(body: Buffer, sizeOf: () => number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = sizeOf();
    chunks.push(body.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

describe('sandbox multipart parser', () => {
  const lookalikes = Buffer.concat([
    Buffer.from(
      `\r\n--${BOUNDARY.slice(0, -1)}x\r\n\r--\r\n--${BOUNDARY}y\r\n--${BOUNDARY}- -\r\n\r\r\n\r\n--`,
    ),
    randomBytes(3_000),
    Buffer.from('\r\n-'),
  ]);
  const body = form(
    field('conversationId', 'abc'),
    field('empty', ''),
    file('ñandú 🦤.png', lookalikes),
    file('', ''),
    field('last', 'línea\r\ndos'),
  );
  const whole = parse([body]);

  it('finds every part with its name, type and bytes', () => {
    assert.equal(whole.closed, true);
    assert.deepEqual(
      whole.parts.map(({ name, filename, contentType }) => [name, filename, contentType]),
      [
        ['conversationId', null, ''],
        ['empty', null, ''],
        ['fileAttachment', 'ñandú 🦤.png', 'image/png'],
        ['fileAttachment', '', 'image/png'],
        ['last', null, ''],
      ],
    );
    assert.deepEqual(whole.parts[2]?.data, lookalikes);
    assert.equal(whole.parts[4]?.data.toString(), 'línea\r\ndos');
  });

  it('finds the same parts when fed byte by byte', () => {
    assert.deepEqual(parse(split(body, () => 1)), whole);
  });

  it('finds the same parts in any split', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = createRandom(seed);
      assert.deepEqual(parse(split(body, () => 1 + Math.floor(random() * 90))), whole, `seed ${seed}`);
    }
    for (let at = 1; at < body.length; at += 1) {
      assert.deepEqual(parse([body.subarray(0, at), body.subarray(at)]), whole, `split at ${at}`);
    }
  });

  it('is not closed before the closing boundary is there', () => {
    for (const missing of [4, 3, 20])
      assert.equal(parse([body.subarray(0, body.length - missing)]).closed, false);
    assert.equal(parse([body.subarray(0, body.length - 2)]).closed, true);
  });

  it('skips preamble and epilogue and takes spaces after a boundary', () => {
    const dressed = Buffer.concat([
      Buffer.from('This is a preamble.\r\n'),
      Buffer.from(field('a', '1').replace(BOUNDARY, `${BOUNDARY} \t`)),
      form(field('b', '2')),
      Buffer.from(`epilogue\r\n${field('c', '3')}`),
    ]);
    for (const chunks of [[dressed], split(dressed, () => 1)]) {
      const { parts, closed } = parse(chunks);
      assert.deepEqual([parts.map(({ name, data }) => `${name}=${data}`), closed], [['a=1', 'b=2'], true]);
    }
  });

  it('rejects parts without a usable header', () => {
    const bodies = [
      `--${BOUNDARY}\r\n\r\nno headers\r\n--${BOUNDARY}--\r\n`,
      `--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\n\r\n--${BOUNDARY}--\r\n`,
      `--${BOUNDARY}\r\nContent-Disposition: attachment; name="a"\r\n\r\n\r\n--${BOUNDARY}--\r\n`,
      `--${BOUNDARY}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    ];
    for (const bad of bodies) assert.throws(() => parse([Buffer.from(bad)]), MultipartError);
  });

  it('reads the boundary from the content type, quoted or not', () => {
    assert.equal(boundaryOf('multipart/form-data; boundary=abc'), 'abc');
    assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b;c"'), 'a b;c');
    assert.equal(boundaryOf('multipart/form-data'), null);
    assert.equal(boundaryOf('multipart/mixed; boundary=abc'), null);
    assert.equal(boundaryOf(undefined), null);
  });
});

describe('sandbox part heads', () => {
  const names: [string, string | null][] = [
    ['filename="a%22b%0D%0Ac.png"', 'a"b\r\nc.png'],
    ['filename="a\\"b.png"', 'a"b.png'],
    ['filename="C:\\dir\\"', 'C:\\dir\\'],
    ['filename="100%25.png"', '100%25.png'],
    ['filename="a;b=c.png"', 'a;b=c.png'],
    ['filename=plain.png', 'plain.png'],
    ['filename="first.png"; filename="second.png"', 'first.png'],
    [`filename="plain.png"; filename*=UTF-8''%C3%B1.png`, 'ñ.png'],
    ['FileName="case.png"', 'case.png'],
    ['filename=""', ''],
    ['x="y"', null],
  ];
  for (const [parameter, expected] of names) {
    it(`reads ${parameter}`, () => {
      const head = parsePartHead(
        `content-disposition: form-data; name="f"; ${parameter}\r\nContent-Type: a/b`,
      );
      assert.deepEqual(head, { name: 'f', filename: expected, contentType: 'a/b' });
    });
  }

  it('joins a folded header line', () => {
    assert.equal(parsePartHead('Content-Disposition: form-data;\r\n\tname="f"')?.name, 'f');
  });
});
