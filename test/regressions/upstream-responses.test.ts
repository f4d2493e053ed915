import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { createFakeLeadway, type FakeLeadway, type FakeResponse } from '../helpers/fake-leadway.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const SUCCESS = { uploadedFiles: { 'picture.png': 'https://cdn.example.com/0' } };
const WALL = '<!DOCTYPE html><title>Access denied</title><h1>403</h1>';
const PAGE = { 'Content-Type': 'text/html; charset=UTF-8' };

describe('what comes back from Leadway', () => {
  let leadway: FakeLeadway;
  let testServer: TestServer;
  let response: FakeResponse;
  beforeEach(async () => {
    leadway = await createFakeLeadway(() => response);
    testServer = await createTestServer({
      env: {
        LEADWAY_BASE_URL: leadway.url,
        LEADWAY_TOKEN: 'pit-new,pit-old',
        PASSTHROUGH: 'GET /conversations/:id',
      },
    });
  });
  afterEach(async () => {
    await testServer[Symbol.asyncDispose]();
    await leadway[Symbol.asyncDispose]();
  });
  const upload = (content = fixture('picture.png'), name = 'picture.png') =>
    sendUpload(testServer, [...textParts(testServer.fields), filePart(name, content)]);

  it('is asked for as plain JSON, for every kind of call', async () => {
    response = { status: 200, json: SUCCESS };
    await upload();
    await fetch(`${testServer.api}/conversations/1`);
    await sendUpload(
      testServer,
      [...textParts(testServer.fields), filePart('picture.png', fixture('picture.png'))],
      {
        query: '?mode=direct',
      },
    );
    assert.equal(leadway.headers.length, 3);
    for (const headers of leadway.headers) {
      assert.equal(headers.accept, 'application/json');
      assert.equal(headers['accept-encoding'], 'identity');
    }
  });

  const codings: readonly (readonly [string, (text: string) => Buffer])[] = [
    ['gzip', zlib.gzipSync],
    ['x-gzip', zlib.gzipSync],
    ['deflate', zlib.deflateSync],
    ['deflate', zlib.deflateRawSync],
    ['br', zlib.brotliCompressSync],
    ['zstd', zlib.zstdCompressSync],
    ['gzip, br', (text) => zlib.brotliCompressSync(zlib.gzipSync(text))],
    ['identity', Buffer.from],
  ];
  for (const [coding, encode] of codings) {
    it(`is understood when a CDN compresses it without being asked (${coding}, ${encode.name})`, async () => {
      const headers = { 'Content-Encoding': coding };
      response = { status: 200, headers, body: encode(JSON.stringify(SUCCESS)) };
      assert.equal((await upload()).status, 200);
      response = {
        status: 422,
        headers,
        body: encode('{"statusCode":422,"message":["contactId is invalid"]}'),
      };
      const rejected = await upload();
      assert.equal(`${rejected.status} ${rejected.body.message}`, '422 contactId is invalid');
    });
  }

  it('is held to the same size after it is decompressed', async () => {
    const padded = JSON.stringify({ ...SUCCESS, padding: 'x'.repeat(3 * 1024 * 1024) });
    const headers = { 'Content-Encoding': 'gzip' };
    response = { status: 200, headers, body: zlib.gzipSync(padded) };
    assert.equal((await upload()).body.code, 'UPSTREAM_ERROR');
    response = {
      status: 422,
      headers,
      body: zlib.gzipSync(JSON.stringify({ message: 'x'.repeat(100_000) })),
    };
    const rejected = await upload();
    assert.equal(`${rejected.status} ${rejected.body.message}`, '422 Leadway rejected the request.');
  });

  it('is an invalid response when its compression is broken or unknown', async () => {
    for (const coding of ['gzip', 'br', 'compress']) {
      response = { status: 200, headers: { 'Content-Encoding': coding }, body: JSON.stringify(SUCCESS) };
      const { status, body } = await upload();
      assert.equal(`${status} ${body.code}`, '502 UPSTREAM_ERROR', coding);
    }
  });

  it('keeps the status of an error whose body can’t be read', async () => {
    response = { status: 413, headers: { 'Content-Encoding': 'gzip' }, body: 'not gzip' };
    assert.equal((await upload()).status, 413);
    response = { status: 413, headers: PAGE, body: `<html>${' '.repeat(100_000)}` };
    assert.equal((await upload()).status, 413);
  });

  for (const status of [401, 403, 500, 503]) {
    it(`says nothing about the token when it is the web page of a firewall with ${status}`, async () => {
      response = { status, headers: PAGE, body: WALL };
      const { status: told, body } = await upload();
      assert.equal(`${told} ${body.code} ${body.retryable}`, `502 UPSTREAM_ERROR ${status >= 500}`);
      assert.doesNotMatch(body.message ?? '', /credentials/);
      const passed = await fetch(`${testServer.api}/conversations/1`);
      assert.equal(passed.status, 502);
      const asked = await sendUpload(
        testServer,
        [...textParts(testServer.fields), filePart('picture.png', fixture('picture.png'))],
        { query: '?mode=direct' },
      );
      assert.equal(asked.body.code, 'UPSTREAM_ERROR');
      assert(
        leadway.headers.every(({ authorization }) => authorization === 'Bearer pit-new'),
        'the other token was used',
      );
      const { notices } = (await (await fetch(`${testServer.url}/readyz`)).json()) as { notices: string[] };
      assert.deepEqual(notices, []);
      assert(!testServer.log.entries.some(({ level }) => level === 'error'), 'no advice about the token');
      const line = testServer.log.entries.find(({ code }) => code === 'UPSTREAM_ERROR');
      assert.match(JSON.stringify(line?.['err']), /web page/);
    });
  }

  it('still makes us try the other token when it is a 401 of Leadway itself', async () => {
    response = { status: 401, json: { statusCode: 401, message: 'Invalid JWT' } };
    assert.equal((await upload()).body.code, 'UPSTREAM_AUTH');
    assert(leadway.headers.some(({ authorization }) => authorization === 'Bearer pit-old'));
  });

  it('gives client and operator a way out when Leadway wants the length of an upload', async () => {
    await using strict = await createFakeLeadway((_path, { headers }) =>
      headers['transfer-encoding'] === undefined
        ? { status: 200, json: SUCCESS }
        : { status: 411, headers: PAGE, body: '<html>411 Length Required</html>' },
    );
    await using other = await createTestServer({ env: { LEADWAY_BASE_URL: strict.url } });
    const film = filePart('clip.mp4', mp4(400_000));
    const parts = [...textParts(other.fields), film];
    for (let count = 0; count < 2; count += 1) {
      const { status, body } = await sendUpload(other, parts);
      assert.equal(`${status} ${body.code} ${body.retryable}`, '411 UPSTREAM_REJECTED false');
      assert.match(body.message ?? '', /"fileSize" before the file/);
    }
    const advice = other.log.entries.filter(({ msg }) => /fileSize.*FORWARD_HOLD_BYTES/.test(String(msg)));
    assert.equal(advice.length, 1, 'said once');
    const declared = [...textParts({ ...other.fields, fileSize: '400000' }), film];
    assert.equal((await sendUpload(other, declared)).status, 200);
  });
});
