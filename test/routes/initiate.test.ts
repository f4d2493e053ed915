import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import {
  assertRejected,
  call,
  complete,
  INITIATE_KEYS,
  initiate,
  initiated,
  jsonOf,
  postJson,
  seen,
} from '../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const PATH = '/messages/upload/initiate';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const MIB = 1024 * 1024;

describe('POST /messages/upload/initiate with JSON', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  beforeEach(() => testServer.sandbox.reset());
  after(() => testServer[Symbol.asyncDispose]());

  it('responds like the upload endpoint, except for the mode', async () => {
    const reply = await initiate(testServer, { fileSize: 5 });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(Object.keys(reply.body).sort(), INITIATE_KEYS);
    const { locationId, conversationId } = testServer.sandbox;
    assert.deepEqual(jsonOf(testServer, 'initiate'), {
      locationId,
      conversationId,
      filename: 'note.txt',
      contentType: 'text/plain',
      channel: 'SMS',
      fileSize: 5,
    });
    const { headers } = seen(testServer, 'initiate')[0] ?? {};
    assert.equal(headers?.['accept'], 'application/json');
    assert.equal(headers?.['version'], '2021-07-28');
    assert.equal(reply.body.contentUrl, '/api/messages/upload/content');
    assert(reply.body.expiresAt > Date.now());
    await testServer.assertClean();
  });

  it('works to its end', async () => {
    const { uploadUrl, headers, ticket } = await initiated(testServer);
    assert.equal((await call(uploadUrl, { method: 'PUT', headers, body: 'hello' })).status, 200);
    const { status, body } = await complete(testServer, { ticket });
    assert.equal(status, 200);
    assert.deepEqual(body.metadata, { size: 5, contentType: 'text/plain' });
    await testServer.assertClean();
  });

  it('makes the declared type canonical, and hands that out for the PUT', async () => {
    for (const [filename, declared, canonical] of [
      ['a.JPG', 'image/jpg', 'image/jpeg'],
      ['a.jpeg', 'IMAGE/PJPEG; q=1', 'image/jpeg'],
      ['a.zip', 'application/x-zip-compressed', 'application/zip'],
      ['a.mp3', 'audio/mp3', 'audio/mpeg'],
      ['a.wav', 'audio/vnd.wave', 'audio/wav'],
      ['a.png', 'application/octet-stream', 'image/png'],
      ['a.docx', 'application/zip', DOCX],
      ['a.docx', 'application/wps-office.docx', DOCX],
    ]) {
      const body = await initiated(testServer, { filename, contentType: declared });
      assert.equal(body.contentType, canonical);
      assert.deepEqual(body.headers, { 'Content-Type': canonical });
    }
  });

  it('goes by the extension where the type is missing, empty or says nothing', async () => {
    for (const contentType of [
      undefined,
      null,
      '',
      'application/octet-stream',
      'image/*',
      'application/kswps',
    ]) {
      for (const [filename, canonical] of [
        ['archive.rar', 'application/vnd.rar'],
        ['letter.doc', 'application/msword'],
      ]) {
        const body = await initiated(testServer, { filename, contentType });
        assert.equal(body.contentType, canonical);
      }
    }
  });

  it('takes the size as a number and as a string, and leaves it out when it is not given', async () => {
    await initiated(testServer, { fileSize: 7 });
    await initiated(testServer, { fileSize: '7' });
    for (const fileSize of [undefined, null, '']) await initiated(testServer, { fileSize });
    const sizes = seen(testServer, 'initiate').map(
      (_, index) => jsonOf(testServer, 'initiate', index)['fileSize'],
    );
    assert.deepEqual(sizes, [7, 7, undefined, undefined, undefined]);
  });

  it('ignores fields that it does not know', async () => {
    await initiated(testServer, {
      type: 'x',
      toString: 1,
      constructor: { prototype: 1 },
      uploadUrl: 'https://evil',
    });
    await initiated(
      testServer,
      JSON.parse('{"__proto__":{"channel":"WHATSAPP"}}') as Record<string, unknown>,
    );
    assert.equal(jsonOf(testServer, 'initiate', 1)['channel'], 'SMS');
  });

  it('cleans the name as an upload does', async () => {
    const decomposed = 'C:\\Users\\me\\re\u0301sume\u0301.txt';
    const { filename } = await initiated(testServer, { filename: decomposed });
    assert.equal(filename, 'r\u00e9sum\u00e9.txt');
    assert.equal(jsonOf(testServer, 'initiate')['filename'], 'r\u00e9sum\u00e9.txt');
  });

  it('holds the declared size to the channel', async () => {
    const details = assertRejected(
      await initiate(testServer, { fileSize: 5 * MIB + 1 }),
      413,
      'FILE_TOO_LARGE',
    );
    assert.deepEqual(details, { limit: 5 * MIB, channel: 'SMS' });
    await initiated(testServer, { fileSize: 5 * MIB + 1, channel: 'whatsapp' });
    assert.equal(jsonOf(testServer, 'initiate')['channel'], 'WHATSAPP');
  });

  const bad: readonly (readonly [string, Record<string, unknown>, number, string, string | null])[] = [
    ['no conversation', { conversationId: undefined }, 400, 'MISSING_FIELD', 'conversationId'],
    ['an empty conversation', { conversationId: '' }, 400, 'MISSING_FIELD', 'conversationId'],
    ['no name', { filename: null }, 400, 'MISSING_FIELD', 'filename'],
    ['a conversation that is a path', { conversationId: '../x' }, 400, 'INVALID_FIELD', 'conversationId'],
    ['a conversation that is a number', { conversationId: 5 }, 400, 'INVALID_FIELD', 'conversationId'],
    ['a long conversation', { conversationId: 'a'.repeat(65) }, 400, 'INVALID_FIELD', 'conversationId'],
    ['two conversations', { conversationId: ['a', 'b'] }, 400, 'DUPLICATE_FIELD', 'conversationId'],
    ['a name that is an object', { filename: {} }, 400, 'INVALID_FIELD', 'filename'],
    ['a type that is true', { contentType: true }, 400, 'INVALID_FIELD', 'contentType'],
    ['a channel with a blank', { channel: 'What sapp' }, 400, 'INVALID_FIELD', 'channel'],
    ['a size of 0', { fileSize: 0 }, 400, 'EMPTY_FILE', 'fileSize'],
    ['a negative size', { fileSize: -1 }, 400, 'INVALID_FIELD', 'fileSize'],
    ['half a byte', { fileSize: 1.5 }, 400, 'INVALID_FIELD', 'fileSize'],
    ['a size in hex', { fileSize: '0x10' }, 400, 'INVALID_FIELD', 'fileSize'],
    ['a size out of all bounds', { fileSize: 1e21 }, 400, 'INVALID_FIELD', 'fileSize'],
    ['a private file', { isSecureAttachment: true }, 400, 'INVALID_FIELD', 'isSecureAttachment'],
    ['a private file in text', { isSecureAttachment: 'true' }, 400, 'INVALID_FIELD', 'isSecureAttachment'],
    ['a group SMS', { isGroupSms: true }, 400, 'INVALID_FIELD', 'isGroupSms'],
    ['a size that is true', { fileSize: true }, 400, 'INVALID_FIELD', 'fileSize'],
    ['a name that reads backwards', { filename: 'a\u202Etxt.txt' }, 400, 'BAD_FILENAME', null],
    ['a name of path alone', { filename: 'a/' }, 400, 'BAD_FILENAME', null],
    ['a type off the list', { filename: 'a.exe' }, 415, 'TYPE_NOT_ALLOWED', null],
    ['no extension', { filename: 'README' }, 415, 'TYPE_NOT_ALLOWED', null],
    ['another type', { filename: 'a.png' }, 415, 'TYPE_MISMATCH', null],
    ['another location', { locationId: 'someoneElse' }, 403, 'LOCATION_NOT_ALLOWED', null],
  ];
  for (const [what, fields, status, code, field] of bad) {
    it(`rejects ${what}`, async () => {
      const details = assertRejected(await initiate(testServer, fields), status, code);
      if (field !== null) assert.equal(details['field'], field);
      assert.equal(seen(testServer, 'initiate').length, 0);
      await testServer.assertClean();
    });
  }

  it('takes a file that need not be private', async () => {
    for (const isSecureAttachment of [false, 'false', '', null]) {
      assert.equal((await initiate(testServer, { isSecureAttachment })).status, 200);
    }
  });

  it('rejects JSON that is not an object', async () => {
    for (const text of ['[]', '"a"', '1', 'null', '{', '{"a":1}x', '\u0000']) {
      assertRejected(await postJson(testServer, PATH, text), 400, 'BAD_JSON');
    }
  });

  it('rejects what is not called JSON', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense']) {
      assertRejected(await postJson(testServer, PATH, '{}', { 'Content-Type': type }), 415, 'NOT_JSON');
    }
    const iso = { 'Content-Type': 'application/json; charset=iso-8859-1' };
    assertRejected(await postJson(testServer, PATH, '{}', iso), 415, 'NOT_JSON');
  });

  it('takes JSON with a charset that is UTF-8', async () => {
    const { status } = await initiate(testServer, {}, { 'Content-Type': 'application/json; charset=UTF-8' });
    assert.equal(status, 200);
  });

  it('rejects a coding, and more than a mebibyte', async () => {
    const zipped = await call(`${testServer.api}${PATH}`, {
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
      body: gzipSync('{}'),
    });
    assertRejected(zipped, 415, 'UNSUPPORTED_ENCODING');
    for (const chunked of [false, true]) {
      const large = await call(`${testServer.api}${PATH}`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ padding: 'x'.repeat(MIB) }),
        chunked,
      });
      assert.equal(assertRejected(large, 413, 'BODY_TOO_LARGE')['limit'], MIB);
    }
  });

  it('responds to other methods with those that it has', async () => {
    const reply = await call(`${testServer.api}${PATH}`, { method: 'PUT' });
    assertRejected(reply, 405, 'METHOD_NOT_ALLOWED');
    assert.equal(reply.headers.allow, 'POST');
  });

  it('says it in Spanish when asked', async () => {
    const { body } = await initiate(
      testServer,
      { conversationId: '' },
      { 'Accept-Language': 'es-MX,en;q=0.5' },
    );
    assert.match(body.message ?? '', /Falta/);
  });
});
