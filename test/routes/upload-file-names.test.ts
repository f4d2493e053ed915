import assert from 'node:assert/strict';
import { BOUNDARY, closing, encodeForm, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('the file names of an upload', () => {
  let testServer: TestServer;
  let fields: Part[];
  const png = fixture('picture.png');
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  /** Sends one picture whose disposition has these parameters, as they are. */
  function sendNamed(parameters: string | Buffer): Promise<ApiResponse> {
    return sendUpload(
      testServer,
      Buffer.concat([
        encodeForm(fields).subarray(0, -closing().length),
        Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="fileAttachment"; `),
        Buffer.from(parameters),
        Buffer.from('\r\n\r\n'),
        png,
        Buffer.from('\r\n'),
        closing(),
      ]),
    );
  }

  const CLEANED: readonly (readonly [string, string, string])[] = [
    ['keeps UTF-8', 'filename="foto ñandú 😀 写真.png"', 'foto ñandú 😀 写真.png'],
    ['composes to NFC', 'filename="cafe\u0301.png"', 'café.png'],
    ['strips a Unix path', 'filename="../../etc/a.png"', 'a.png'],
    ['strips a Windows path', 'filename="C:\\fakepath\\a.png"', 'a.png'],
    ['strips control characters', 'filename="a%0D%0Ab.png"', 'ab.png'],
    ['strips C1 controls', 'filename="a\u0085b.png"', 'ab.png'],
    ['strips spaces at the ends', 'filename="  a.png "', 'a.png'],
    ['strips the dots that Windows hides', 'filename="a.png..."', 'a.png'],
    ['keeps quotes that a browser escaped', 'filename="a%22b.png"', 'a"b.png'],
    ['keeps quotes that curl escaped', 'filename="a\\"b.png"', 'a"b.png'],
    ['keeps a percent sign', 'filename="100%.png"', '100%.png'],
    ['keeps percent codes that encodeURIComponent does not write', 'filename="a%20b%2f.png"', 'a%20b%2f.png'],
    ['decodes what encodeURIComponent wrote', 'filename="ni%C3%B1o%20%26%20(1).png"', 'niño & (1).png'],
    ['decodes it once', 'filename="a%2520b.png"', 'a%20b.png'],
    ['strips the path of a decoded name', 'filename="a%2F..%2F..%2Fb.png"', 'b.png'],
    ['strips a NUL of a decoded name', 'filename="a%00.png"', 'a.png'],
    ['does not decode an extended name again', "filename*=UTF-8''a%2520b%252E.png", 'a%20b%2E.png'],
    ['strips direction marks', 'filename="\u200fחשבונית\u200e 12.png"', 'חשבונית 12.png'],
    ['keeps the colons of a time', 'filename="2026-01-31 10:30:00.png"', '2026-01-31 10:30:00.png'],
    ['takes the plain name for a malformed one', 'filename="n.png"; filename*=latin1\'\'%F1.png', 'n.png'],
    ['keeps semicolons', 'filename="a;b; filename=c.png"', 'a;b; filename=c.png'],
    ['takes a bare token', 'filename=a.png', 'a.png'],
    ['takes an extended name', "filename*=UTF-8''na%C3%AFve%20%E2%82%AC.png", 'naïve €.png'],
    [
      'takes both as .NET sends them',
      'filename="=?utf-8?B?w7EucG5n?="; filename*=utf-8\'\'%C3%B1.png',
      'ñ.png',
    ],
    ['lets the extended name win in any order', 'filename*=utf-8\'es\'%C3%B1.png; filename="n.png"', 'ñ.png'],
    ['strips the path of an extended name', "filename*=UTF-8''..%2F..%5Ca.png", 'a.png'],
    ['takes parameters in any case', 'FileName="a.png"', 'a.png'],
    ['keeps a name that is an object key', 'filename="__proto__.png"', '__proto__.png'],
  ];
  for (const [what, parameters, expected] of CLEANED) {
    it(what, async () => {
      const response = await sendNamed(parameters);
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests[0]?.files?.[0]?.name, expected);
      assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), [expected]);
      await testServer.assertClean({ completeUploads: 1 });
    });
  }

  const REJECTED: readonly (readonly [string, string | Buffer, number, string])[] = [
    ['a bidi override', 'filename="a\u202egnp.exe.png"', 400, 'BAD_FILENAME'],
    ['an escaped bidi override', "filename*=UTF-8''a%E2%80%AEgnp.png", 400, 'BAD_FILENAME'],
    ['bidi isolates', 'filename="a\u2066b\u2069.png"', 400, 'BAD_FILENAME'],
    ['a path without a name', 'filename="dir/"', 400, 'BAD_FILENAME'],
    ['dots only', 'filename=".."', 400, 'BAD_FILENAME'],
    ['a name of controls only', 'filename="%0D%0A"', 400, 'BAD_FILENAME'],
    ['a name that is not UTF-8', Buffer.from('filename="a\xf1.png"', 'latin1'), 400, 'BAD_FILENAME'],
    ['a name of 256 bytes', `filename="${'ñ'.repeat(126)}.png"`, 400, 'BAD_FILENAME'],
    ['a decoded bidi override', 'filename="a%E2%80%AEgnp.exe.png"', 400, 'BAD_FILENAME'],
    ['a decoded stream name', 'filename="a.exe%3A.png"', 400, 'BAD_FILENAME'],
    ['a decoded name without extension', 'filename="a.png%2Fb"', 415, 'TYPE_NOT_ALLOWED'],
    ['a name that is an executable once decoded', 'filename="a.png%2Fb%2Eexe.exe"', 415, 'TYPE_NOT_ALLOWED'],
    ['a decoded name of 256 bytes', `filename="${'%C3%B1'.repeat(126)}.png"`, 400, 'BAD_FILENAME'],
    ['no name with content', 'filename=""', 400, 'BAD_FILENAME'],
    ['no name at all', 'size=5', 400, 'BAD_FILENAME'],
    ['a name without extension', 'filename="png"', 415, 'TYPE_NOT_ALLOWED'],
    ['a hidden file that is all extension', 'filename=".png"', 415, 'TYPE_NOT_ALLOWED'],
    ['two names', 'filename="a.png"; filename="b.png"', 400, 'BAD_MULTIPART'],
    ['two extended names', "filename*=utf-8''a.png; filename*=utf-8''b.png", 400, 'BAD_MULTIPART'],
    ['an extended name in another charset', "filename*=iso-8859-1''%F1.png", 400, 'BAD_MULTIPART'],
    ['an extended name that is not UTF-8', "filename*=UTF-8''%F1.png", 400, 'BAD_MULTIPART'],
    ['an extended name with a raw quote', "filename*=UTF-8''a\"b.png", 400, 'BAD_MULTIPART'],
    ['an open quote', 'filename="a.png', 400, 'BAD_MULTIPART'],
    ['a NUL', 'filename="a\u0000.png"', 400, 'BAD_MULTIPART'],
    ['text behind the quotes', 'filename="a.png"b', 400, 'BAD_MULTIPART'],
  ];
  for (const [what, parameters, status, code] of REJECTED) {
    it(`rejects ${what}`, async () => {
      const response = await sendNamed(parameters);
      assert.equal(response.status, status, response.text);
      assert.equal(response.body.code, code, response.text);
      await testServer.assertClean();
    });
  }

  it('of a browser keep all percent codes but those of WHATWG', async () => {
    const form = [...fields, filePart('100%25 ni%C3%B1o%22.png', png)];
    const headers = { 'Sec-Fetch-Site': 'same-origin' };
    for (const name of ['100%25.png', 'ni%C3%B1o.png', 'a%20b.png']) {
      const response = await sendUpload(testServer, [...fields, filePart(name, png)], { headers });
      assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), [name]);
    }
    const escaped = await sendUpload(testServer, form, { headers });
    assert.deepEqual(Object.keys(escaped.body.uploadedFiles ?? {}), ['100%25 ni%C3%B1o".png']);
    await testServer.assertClean({ completeUploads: 4 });
  });

  it('must be there, whatever the part holds', async () => {
    const parts: Part[] = [
      { name: 'fileAttachment', content: png, contentType: 'image/png' },
      { name: 'fileAttachment', content: 'text', contentType: 'text/plain' },
      { name: 'fileAttachment', content: '', contentType: 'application/octet-stream' },
      { name: 'fileAttachment', content: png },
      { name: 'fileAttachment', content: 'x'.repeat(100_000) },
      { name: 'fileAttachment', content: mp4(600_000) },
    ];
    for (const part of parts) {
      for (const form of [
        [...fields, part],
        [...fields, filePart('a.png', png), part],
      ]) {
        const response = await sendUpload(testServer, form);
        assert.equal(response.status, 400, response.text);
        assert.equal(response.body.code, 'BAD_FILENAME');
        assert.match(response.body.message ?? '', /without a file name/);
      }
    }
    await testServer.assertClean();
  });

  it('are missing in text fields that describe a file, as FilePond sends them', async () => {
    for (const content of ['', '{"id":"x"}']) {
      const described = [...fields, { name: 'fileAttachment', content }, filePart('a.png', png)];
      const response = await sendUpload(testServer, described);
      assert.equal(response.status, 200, response.text);
    }
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('are missing where the only content of the file field is text without a type', async () => {
    const part = { name: 'fileAttachment', content: 'hello' };
    for (const form of [
      [...fields, part],
      [part, ...fields],
    ]) {
      const response = await sendUpload(testServer, form);
      assert.equal(response.body.code, 'BAD_FILENAME', response.text);
      assert.match(response.body.message ?? '', /without a file name/);
    }
    const empty = await sendUpload(testServer, [...fields, { ...part, content: '' }]);
    assert.equal(empty.body.code, 'NO_FILE');
    await testServer.assertClean();
  });

  it('may have 255 bytes', async () => {
    const name = `${'ñ'.repeat(125)}a.png`;
    assert.equal(Buffer.byteLength(name), 255);
    const response = await sendUpload(testServer, [...fields, filePart(name, png)]);
    assert.equal(response.status, 200, response.text);
    assert.equal(testServer.sandbox.requests[0]?.files?.[0]?.name, name);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('are made distinct, since the response maps them to URLs', async () => {
    const longest = `${'x'.repeat(251)}.png`;
    const names = ['a.png', 'a (2).png', 'a.png', 'dir/a.png', longest, longest];
    await using many = await createTestServer({ env: { MAX_FILES: '6' } });
    const response = await sendUpload(many, [
      ...textParts(many.fields),
      ...names.map((name) => filePart(name, png)),
    ]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), [
      'a.png',
      'a (2).png',
      'a (3).png',
      'a (4).png',
      longest,
      `${'x'.repeat(247)} (2).png`,
    ]);
    await many.assertClean({ completeUploads: 1 });
  });

  it('never become structure of the request to Leadway', async () => {
    // Names that would break out of their quotes or their line if they were written as they are.
    const names = ['a%22; name=%22conversationId.png', 'a%0D%0AContent-Type: text/html%0D%0A%0D%0Ab.png'];
    for (const name of names) {
      for (const content of [png, mp4(600_000)]) {
        const extension = content === png ? '' : '.mp4';
        const response = await sendUpload(testServer, [...fields, filePart(name + extension, content)]);
        assert.equal(response.status, 200, response.text);
        const sent = testServer.sandbox.requests.at(-1);
        assert.equal(sent?.fieldOrder?.length, 4);
        assert.equal(sent?.files?.[0]?.field, 'fileAttachment');
        assert.equal(sent?.files?.[0]?.contentType, content === png ? 'image/png' : 'video/mp4');
      }
    }
    await testServer.assertClean({ completeUploads: 4 });
  });
});
