import assert from 'node:assert/strict';
import { parsePartHead } from '../../../middleware/multipart/part-head.ts';

const parse = (head: string) => parsePartHead(Buffer.from(head));
const disposition = (parameters: string) => `Content-Disposition: form-data; ${parameters}`;

describe('parsePartHead', () => {
  it('tells a text field from a file and from an empty file input', () => {
    assert.deepEqual(parse(disposition('name="a"')), { name: 'a', filename: null, contentType: null });
    assert.equal(parse(disposition('name="a"; filename="b"')).filename, 'b');
    assert.equal(parse(disposition('name="a"; filename=""')).filename, '');
  });

  it('reads names as browsers, curl and .NET write them', () => {
    const cases: Record<string, string> = {
      'filename="a;b=c.png"': 'a;b=c.png',
      'filename="a\\"b.png"': 'a"b.png',
      'filename="C:\\dir\\b.png"': 'C:\\dir\\b.png',
      'filename="C:\\\\dir\\\\b.png"': 'C:\\dir\\b.png',
      'filename="ñ.png"': 'ñ.png',
      "filename*=UTF-8''%e2%82%ac.png": '€.png',
      "filename=x.png; filename*=utf-8'en'%E2%82%AC.png": '€.png',
      "filename*=UTF-8''": '',
    };
    for (const [parameters, filename] of Object.entries(cases)) {
      assert.equal(parse(disposition(`name=a; ${parameters}`)).filename, filename);
    }
  });

  it('takes multipart/x-zip, which some machines call a ZIP, and no part that has parts', () => {
    const typed = (type: string) =>
      parse(`${disposition('name="a"; filename="b"')}\r\nContent-Type: ${type}`);
    for (const type of ['multipart/x-zip', 'Multipart/X-Zip; version=1'])
      assert.equal(typed(type).contentType, type);
    for (const type of [
      'multipart/mixed; boundary=x',
      'multipart/form-data',
      'multipart/x-zipped',
      'multipart/',
    ]) {
      assert.throws(() => typed(type), { code: 'BAD_MULTIPART' }, type);
    }
  });

  it('leaves the escapes of form data to multer, which decodes them once', () => {
    assert.equal(parse(disposition('name="a"; filename="a%22b%0D%0A.png"')).filename, 'a%22b%0D%0A.png');
  });

  it('keeps the declared type as it is written', () => {
    assert.equal(
      parse(`${disposition('name="a"')}\r\ncontent-TYPE:  Text/Plain; x=y `).contentType,
      'Text/Plain; x=y',
    );
  });

  it('takes transfer encodings that change nothing', () => {
    for (const encoding of ['binary', '8bit', '7BIT']) {
      assert.equal(parse(`${disposition('name="a"')}\r\nContent-Transfer-Encoding: ${encoding}`).name, 'a');
    }
  });

  const BAD: readonly string[] = [
    '',
    'Content-Type: text/plain',
    'Content-Disposition: attachment; name="a"',
    'Content-Disposition: form-data-x; name="a"',
    'Content-Disposition: form-data',
    disposition('name=""'),
    disposition('name'),
    disposition('name="a'),
    disposition('name="a"x'),
    disposition('name="a"; ;'),
    disposition('name="a"; name="a"'),
    disposition('name="a"; NAME="b"'),
    disposition('name="a"; filename="x"; filename="x"'),
    disposition("name=\"a\"; filename*=UTF-8''a; filename*=UTF-8''b"),
    disposition('name="a"; filename*=UTF-8\'\'%'),
    disposition('name="a"; filename*=UTF-8\'\'%ff'),
    disposition('name="a"; filename*=latin1\'\'a'),
    disposition('name="a"; filename*="UTF-8"'),
    `${disposition('name="a"')}\r\n${disposition('name="b"')}`,
    `${disposition('name="a"')}\r\n folded`,
    `${disposition('name="a"')}\r\nX-A`,
    `${disposition('name="a"')}\r\nX-A : x`,
    `${disposition('name="a"')}\r\nX-A: a\rb`,
    `${disposition('name="a"')}\r\nX-A: a\nb`,
    `${disposition('name="a"')}\r\nX-A: \u0000`,
    `${disposition('name="a"')}\r\nContent-Transfer-Encoding: base64`,
    `${disposition('name="a"')}\r\nContent-Type: Multipart/Mixed; boundary=x`,
  ];
  for (const head of BAD) {
    it(`refuses ${JSON.stringify(head)}`, () => assert.throws(() => parse(head), { code: 'BAD_MULTIPART' }));
  }
});
