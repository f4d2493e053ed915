import assert from 'node:assert/strict';
import { postJson } from '../helpers/direct-steps.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('a body of JSON', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());
  afterEach(() => testServer.assertClean());

  /** What becomes of it at an address that only looks for a ticket in it. */
  const codeOf = async (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    (await postJson(testServer, '/messages/upload/complete', body, headers)).body.code;
  const MISSING = 'MISSING_FIELD';

  it('may have no coding, or the one that changes nothing', async () => {
    assert.equal(await codeOf('{}'), MISSING);
    for (const coding of ['identity', 'Identity']) {
      assert.equal(await codeOf('{}', { 'Content-Encoding': coding }), MISSING);
    }
    for (const coding of ['gzip', 'br', 'identity, gzip']) {
      assert.equal(await codeOf('{}', { 'Content-Encoding': coding }), 'UNSUPPORTED_ENCODING');
    }
  });

  it('is an object, or nothing at all', async () => {
    assert.equal(await codeOf(''), MISSING);
    for (const body of ['[]', 'null', '1', '"text"', '{', '{}x'])
      assert.equal(await codeOf(body), 'BAD_JSON', body);
  });

  it('is called JSON, in UTF-8', async () => {
    for (const type of ['application/json; charset=UTF-8', 'application/json;charset="utf-8"']) {
      assert.equal(await codeOf('{}', { 'Content-Type': type }), MISSING, type);
    }
    for (const type of ['text/plain', 'application/json; charset=utf-16', 'application/problem+json']) {
      assert.equal(await codeOf('{}', { 'Content-Type': type }), 'NOT_JSON', type);
    }
  });

  it('has 1 MiB at most, and as many values as fit into it', async () => {
    assert.equal(await codeOf('{}'.padEnd(1024 * 1024)), MISSING);
    assert.equal(await codeOf('{}'.padEnd(1024 * 1024 + 1)), 'BODY_TOO_LARGE');
    assert.equal(await codeOf({ values: Array(60_000).fill(1) }), MISSING);
  });
});
