import assert from 'node:assert/strict';
import { BOUNDARY, closing, encodeForm, FORM_TYPE, fixture, mp4, type Part } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const png = fixture('picture.png');

describe('a hostile form', () => {
  let testServer: TestServer;
  let fields: Buffer;
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = encodeForm(textParts(testServer.fields)).subarray(0, -closing().length);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  /** A form whose last part has this head and the picture for its content. */
  function withHead(head: string | Buffer, content: Buffer = png): Buffer {
    const begin = Buffer.from(`--${BOUNDARY}\r\n`);
    const end = Buffer.from('\r\n');
    return Buffer.concat([
      fields,
      begin,
      Buffer.from(head),
      Buffer.from('\r\n\r\n'),
      content,
      end,
      closing(),
    ]);
  }

  const DISPOSITION = 'Content-Disposition: form-data; name="fileAttachment"; filename="a.png"';

  async function assertRejected(form: Buffer, code = 'BAD_MULTIPART', headers = {}): Promise<void> {
    const response = await sendUpload(testServer, form, { headers });
    assert.equal(response.body.code, code, response.text);
    assert.equal(response.status, code === 'NOT_MULTIPART' ? 415 : 400);
    await testServer.assertClean();
  }

  const HEADS: readonly (readonly [string, string])[] = [
    ['an encoded part', `${DISPOSITION}\r\nContent-Transfer-Encoding: base64`],
    ['a quoted-printable part', `${DISPOSITION}\r\ncontent-transfer-encoding:  quoted-printable`],
    ['a nested form', `${DISPOSITION}\r\nContent-Type: multipart/mixed; boundary=x`],
    [
      'an extended name beside the plain one',
      'Content-Disposition: form-data; name="note"; name*=utf-8\'\'conversationId',
    ],
    [
      'a part that is not form-data',
      'Content-Disposition: attachment; name="fileAttachment"; filename="a.png"',
    ],
    ['a part without disposition', 'Content-Type: image/png'],
    ['a part without a name', 'Content-Disposition: form-data; filename="a.png"'],
    ['a part with an empty name', 'Content-Disposition: form-data; name=""; filename="a.png"'],
    ['two names', 'Content-Disposition: form-data; name="fileAttachment"; name="x"; filename="a.png"'],
    ['two dispositions', `${DISPOSITION}\r\n${DISPOSITION}`],
    ['two content types', `${DISPOSITION}\r\nContent-Type: image/png\r\ncontent-type: text/html`],
    ['a folded header', 'Content-Disposition: form-data;\r\n name="fileAttachment"; filename="a.png"'],
    ['a header without a colon', `${DISPOSITION}\r\nnonsense`],
    ['a header with an empty name', `${DISPOSITION}\r\n: x`],
    ['a space before the colon', `Content-Disposition : form-data; name="fileAttachment"; filename="a.png"`],
    ['a NUL in a header', `${DISPOSITION}\r\nX-A: \u0000`],
    ['a bare CR in a header', `${DISPOSITION}\r\nX-A: a\rContent-Type: text/html`],
    ['a bare LF in a header', `${DISPOSITION}\nContent-Type: text/html`],
    [
      'an equals sign with spaces',
      'Content-Disposition: form-data; name = "fileAttachment"; filename="a.png"',
    ],
    ['huge part headers', `${DISPOSITION}\r\nX-A: ${'x'.repeat(9_000)}`],
    ['many part headers', `${DISPOSITION}\r\n${'X: x\r\n'.repeat(2_000)}Y: y`],
    ['a long field name', `Content-Disposition: form-data; name="${'x'.repeat(65)}"`],
  ];
  for (const [what, head] of HEADS) {
    it(`is rejected for ${what}`, () => assertRejected(withHead(head)));
  }

  it('is rejected for content that begins with the boundary, which other parsers take for an empty part', async () => {
    const hidden = 'Content-Disposition: form-data; name="conversationId"\r\n\r\nother\r\n';
    for (const content of [`--${BOUNDARY}`, `--${BOUNDARY}--\r\n`, `--${BOUNDARY}\r\n${hidden}`])
      await assertRejected(withHead(DISPOSITION, Buffer.from(content)));
  });

  it('is rejected for a line of content that merely begins with the boundary', async () => {
    const content = Buffer.concat([png, Buffer.from(`\r\n--${BOUNDARY}x\r\n`), png]);
    await assertRejected(withHead(DISPOSITION, content));
    for (const line of [`--${BOUNDARY}-`, `--${BOUNDARY}--x`, `--${BOUNDARY} --`, `--${BOUNDARY} \tx`]) {
      const cut = Buffer.concat([png, Buffer.from(`\r\n${line}\r\n`)]);
      await assertRejected(withHead(DISPOSITION, cut));
    }
  });

  it('is rejected for text before its first boundary', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    for (const before of ['preamble\r\n', '--other\r\n', '\r\n--other\r\n', ' \r\n', '\r', '\n']) {
      await assertRejected(Buffer.concat([Buffer.from(before), form]));
    }
  });

  it('is rejected for a million empty lines before it or after it, without end or behind spaces', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    const lines = Buffer.from('\r\n'.repeat(1_000_000));
    const spaces = Buffer.alloc(2_000_000, ' ');
    const opening = Buffer.from(`--${BOUNDARY}`);
    const attacks = {
      'empty lines before it': [lines, form],
      'empty lines after it': [form, lines],
      'text after it': [form, Buffer.alloc(2_000_000, 'x')],
      'text on its last line': [form.subarray(0, -2), Buffer.alloc(2_000_000, 'x')],
      'spaces on its first line': [opening, spaces, form.subarray(opening.length)],
      'spaces on its last line': [form.subarray(0, -2), spaces],
    };
    for (const [what, pieces] of Object.entries(attacks)) {
      for (const chunked of [false, true]) {
        const response = await sendUpload(testServer, Buffer.concat(pieces), { chunked });
        assert.equal(response.status, 413, what);
        assert.equal(response.body.code, 'BODY_TOO_LARGE', what);
      }
    }
    await testServer.assertClean();
  });

  it('is read once: what comes after its closing boundary adds nothing', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    const other = encodeForm([{ name: 'contactId', content: 'other' }, filePart('b.exe', 'MZ')]);
    const response = await sendUpload(testServer, Buffer.concat([form, other]));
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), ['a.png']);
    assert.deepEqual(testServer.sandbox.requests.at(-1)?.fields?.['contactId'], [
      testServer.fields['contactId'],
    ]);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('is accepted with what clients write around its parts', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    const text = form.toString('latin1');
    const variants: string[] = [
      ...['\r\n', '\r\n\r\n'].map((before) => before + text),
      ...['\r\n', '\r\n\r\n', 'epilogue', ' \t', `--${BOUNDARY}\r\n`].map((behind) => text + behind),
      ...['', '\r', ' \t\r\n', 'epilogue', '\n'].map((end) => text.slice(0, -2) + end),
      text.replaceAll(`--${BOUNDARY}\r\n`, `--${BOUNDARY} \t\r\n`),
    ];
    for (const variant of variants) {
      const response = await sendUpload(testServer, Buffer.from(variant, 'latin1'));
      assert.equal(response.status, 200, `${JSON.stringify(variant.slice(-60))} ${response.text}`);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(png));
    }
    await testServer.assertClean({ completeUploads: variants.length });
  });

  it('is rejected when it ends early, wherever that is', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    const film = encodeForm([...textParts(testServer.fields), filePart('a.mp4', mp4(600_000))]);
    const cuts = [1, 5, 20, 60, 100, 300, form.length - 100, form.length - 5, form.length - 3];
    for (const cut of cuts) await assertRejected(form.subarray(0, cut));
    for (const left of [3, 10, 20, 1_000]) await assertRejected(film.subarray(0, film.length - left));
  });

  it('is rejected when its lines end in LF alone', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.txt', 'text')]).toString();
    await assertRejected(Buffer.from(form.replaceAll('\r\n', '\n')));
    const bare = await sendUpload(testServer, Buffer.from(form.replaceAll('\r\n', '\n')), {
      headers: { 'Accept-Language': 'es' },
    });
    assert.match(bare.body.message ?? '', /terminan solo en LF/);
  });

  it('is rejected when it is empty', async () => {
    await assertRejected(Buffer.alloc(0));
    await assertRejected(Buffer.from('\r\n'));
    await assertRejected(Buffer.from('\r\n\r\n'));
  });

  it('may be closed at once, but then has no file', () => assertRejected(closing(), 'NO_FILE'));

  it('is rejected for too many fields or parts', async () => {
    const fields21 = Array.from({ length: 21 }, (_, index): Part => ({ name: `x${index}`, content: '' }));
    await assertRejected(encodeForm([...fields21, filePart('a.png', png)]));
    const empties = Array.from({ length: 31 }, () => filePart('', ''));
    await assertRejected(encodeForm([...textParts(testServer.fields), ...empties, filePart('a.png', png)]));
  });

  it('is rejected for a boundary that is missing, contradicted, too long or not its own', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
    const types = [
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=""',
      `multipart/form-data; boundary=${BOUNDARY}; Boundary=other`,
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
      `multipart/form-data; boundary="${BOUNDARY} "`,
      `multipart/form-data; boundary="${BOUNDARY}`,
      `multipart/form-data; boundary=a[b]`,
      `multipart/form-data boundary=${BOUNDARY}`,
      `multipart/form-data, text/plain; boundary=${BOUNDARY}`,
    ];
    for (const type of types) await assertRejected(form, 'NOT_MULTIPART', { 'Content-Type': type });
    await assertRejected(form, 'BAD_MULTIPART', { 'Content-Type': 'multipart/form-data; boundary=other' });
    await assertRejected(form, 'BAD_MULTIPART', {
      'Content-Type': `multipart/form-data; boundary=${BOUNDARY.slice(0, -1)}`,
    });
  });

  it('is rejected for two Content-Type headers, each with its boundary', async () => {
    using client = await beginUpload(testServer, 4, [`Content-Type: ${FORM_TYPE}x`]);
    await client.send('--x\r');
    const response = await client.response();
    assert.equal(response.status, 400, response.text);
    assert.match(response.body.message ?? '', /two Content-Type headers/);
    await testServer.assertClean();
  });

  it('passes where it only looks hostile', async () => {
    const harmless: Buffer[] = [
      withHead(`${DISPOSITION}\r\nContent-Transfer-Encoding: binary`),
      withHead(`${DISPOSITION}\r\nContent-Type: image/png\r\nX-Unknown: x\r\nContent-Length: 5`),
      withHead('content-disposition:form-data;name=fileAttachment;filename=a.png'),
      withHead(`${DISPOSITION}; size=5`),
      withHead(`${DISPOSITION};`),
      withHead(`${DISPOSITION} ; \r\nContent-Type: image/png;`),
    ];
    for (const form of harmless) {
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(png));
    }
    for (const type of [
      `Multipart/Form-Data; BOUNDARY="${BOUNDARY}"`,
      `multipart/form-data; charset=utf-8; boundary=${BOUNDARY}`,
      `multipart/form-data;boundary=${BOUNDARY}`,
      `multipart/form-data; boundary=${BOUNDARY};`,
      `multipart/form-data; boundary="${BOUNDARY}" ; `,
    ]) {
      const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]);
      const response = await sendUpload(testServer, form, { headers: { 'Content-Type': type } });
      assert.equal(response.status, 200, response.text);
    }
    await testServer.assertClean({ completeUploads: harmless.length + 5 });
  });

  it('may have any boundary of RFC 2046, quoted or not', async () => {
    const form = encodeForm([...textParts(testServer.fields), filePart('a.png', png)]).toString('latin1');
    const boundaries = ["'", '(', ')', '+', '_', ',', '-', '.', '/', ':', '=', '?'].flatMap((sign) => [
      sign,
      `${sign}x`,
      `x${sign}x${sign}`,
    ]);
    for (const boundary of [...boundaries, '==============12==', 'a b']) {
      const body = Buffer.from(form.replaceAll(BOUNDARY, boundary), 'latin1');
      for (const written of boundary.includes(' ') ? [`"${boundary}"`] : [boundary, `"${boundary}"`]) {
        const headers = { 'Content-Type': `multipart/form-data; boundary=${written}` };
        const response = await sendUpload(testServer, body, { headers });
        assert.equal(response.status, 200, `${written} ${response.text}`);
      }
    }
    await testServer.assertClean({ completeUploads: boundaries.length * 2 + 3 });
  });

  it('does not change content that nearly has boundaries in it', async () => {
    const near = Buffer.from(`\r\n--${BOUNDARY}`);
    const pieces: Buffer[] = [mp4(65_000)];
    for (let length = 1; length < near.length; length++) {
      pieces.push(near.subarray(0, length), Buffer.alloc(65_536 - length, length));
    }
    pieces.push(near.subarray(2), Buffer.from('\r\r\n-'), near.subarray(0, -1));
    const film = Buffer.concat(pieces);
    for (const chunked of [false, true]) {
      const form = encodeForm([...textParts(testServer.fields), filePart('a.mp4', film)]);
      const response = await sendUpload(testServer, form, {
        chunked,
        headers: { 'Content-Type': FORM_TYPE },
      });
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(film));
    }
    await testServer.assertClean({ completeUploads: 2 });
  });
});
