import assert from 'node:assert/strict';
import { decodeFilename, parsePartHeaders } from '../../../middleware/multipart/part-headers.ts';

const parse = (head: string) => parsePartHeaders(Buffer.from(head));
const disposition = (parameters: string) => `Content-Disposition: form-data; ${parameters}`;

describe('parsePartHeaders', () => {
  it('tells a text field from a file and from an empty file input', () => {
    assert.deepEqual(parse(disposition('name="a"')), {
      name: 'a',
      filename: null,
      isFilenameExtended: false,
      contentType: null,
    });
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
      // React Native 0.74 and 0.75: encodeURI leaves these characters alone.
      'filename="photo (1).png"; filename*=utf-8\'\'photo%20(1).png': 'photo (1).png',
      "filename=\"O'Brien, id.png\"; filename*=utf-8''O'Brien,%20id.png": "O'Brien, id.png",
      'filename="a;b=c.png"; filename*=utf-8\'\'a;b=c.png': 'a;b=c.png',
      'filename="a;\u00f1.png"; filename*=utf-8\'\'a;%C3%B1.png; size=5': 'a;ñ.png',
      'filename="#1 a&b=c+d$e@f:g?.png"; filename*=utf-8\'\'#1%20a&b=c+d$e@f:g?.png': '#1 a&b=c+d$e@f:g?.png',
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

  it('falls back to the plain name when the extended one is malformed', () => {
    const malformed = [
      "UTF-8''%",
      "UTF-8''%zz",
      "UTF-8''%F1.png",
      "iso-8859-1''%F1.png",
      "''a.png",
      'a.png',
      "UTF-8'a.png",
      "UTF-8''a b.png",
      "UTF-8''ñ.png",
      "UTF-8''",
      '',
      '"a.png"',
    ];
    for (const extended of malformed) {
      for (const both of [
        `filename="n.png"; filename*=${extended}`,
        `filename*=${extended}; filename="n.png"`,
      ])
        assert.equal(parse(disposition(`name="a"; ${both}`)).filename, 'n.png', both);
    }
  });

  it('leaves the escapes of a plain name for the decoder, and takes a last semicolon', () => {
    for (const end of ['', ';', ' ;', '; ', ';\t'])
      assert.equal(
        parse(disposition(`name="a"; filename="a%22b%0D%0A.png"${end}`)).filename,
        'a%22b%0D%0A.png',
      );
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
    disposition('name="a"; name*=utf-8\'\'b'),
    disposition("name*=utf-8''b"),
    disposition('name="a"; filename="x"; filename*=UTF-8\'\'a"b'),
    disposition('name="a"; filename="x"; filename*0="a"; filename*1="b"'),
    disposition('name="a";;'),
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
    it(`rejects ${JSON.stringify(head)}`, () => assert.throws(() => parse(head), { code: 'BAD_MULTIPART' }));
  }
});

describe('decodeFilename', () => {
  const decode = (parameters: string, isFromBrowser = false): string =>
    decodeFilename(parse(disposition(`name="a"; ${parameters}`)), isFromBrowser);

  const PLAIN: readonly (readonly [given: string, program: string, browser: string])[] = [
    ['a.png', 'a.png', 'a.png'],
    ['Presupuesto%20ni%C3%B1o.png', 'Presupuesto niño.png', 'Presupuesto%20ni%C3%B1o.png'],
    ['photo%20(1).png', 'photo (1).png', 'photo%20(1).png'],
    ['a%22b%0D%0a.png', 'a"b\r\n.png', 'a"b\r\n.png'],
    ['a%22b.png', 'a"b.png', 'a"b.png'],
    // Not what encodeURIComponent writes: lower case, a space, a sign that needs no code, or no code at all.
    ['a%20b%2f.png', 'a%20b%2f.png', 'a%20b%2f.png'],
    ['a b%20c.png', 'a b%20c.png', 'a b%20c.png'],
    ['a%41.png', 'a%41.png', 'a%41.png'],
    ['100%.png', '100%.png', '100%.png'],
    ['%FF.png', '%FF.png', '%FF.png'],
    ['%ED%A0%80.png', '%ED%A0%80.png', '%ED%A0%80.png'],
    // Once, and no more.
    ['100%25.png', '100%.png', '100%25.png'],
    ['a%2522b.png', 'a%22b.png', 'a%2522b.png'],
    ['..%2F..%2Fa.png', '../../a.png', '..%2F..%2Fa.png'],
    ['a%00.png', 'a\0.png', 'a%00.png'],
  ];
  for (const [given, program, browser] of PLAIN) {
    it(`makes ${JSON.stringify(program)} of ${given}, and ${JSON.stringify(browser)} of a browser's`, () => {
      assert.equal(decode(`filename="${given}"`), program);
      assert.equal(decode(`filename="${given}"`, true), browser);
    });
  }

  it('does not decode an extended name again', () => {
    for (const isFromBrowser of [false, true])
      assert.equal(decode("filename*=UTF-8''a%2522b%2520.png", isFromBrowser), 'a%22b%20.png');
  });
});
