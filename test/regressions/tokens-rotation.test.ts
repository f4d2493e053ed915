import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox } from '../../sandbox/index.ts';
import { call } from '../helpers/call.ts';
import { fixture } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const PICTURE = fixture('picture.png');
const upload = (
  testServer: TestServer,
  fields: Readonly<Record<string, string>> = {},
): Promise<ApiResponse> =>
  sendUpload(testServer, [
    ...textParts({ ...testServer.fields, ...fields }),
    filePart('a.png', PICTURE, 'image/png'),
  ]);

const initiate = (testServer: TestServer): Promise<Response> =>
  fetch(`${testServer.api}/messages/upload/initiate`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      conversationId: testServer.sandbox.conversationId,
      filename: 'a.png',
      contentType: 'image/png',
    }),
  });

const notices = async (testServer: TestServer): Promise<string> => {
  const response = await fetch(`${testServer.url}/readyz`);
  assert.equal(response.status, 200);
  return ((await response.json()) as { notices: string[] }).notices.join();
};

const bearers = (testServer: TestServer): unknown[] =>
  testServer.sandbox.requests.map(({ headers }) => String(headers['authorization']).replace('Bearer ', ''));

const errorsInLog = (testServer: TestServer, pattern: RegExp): number =>
  testServer.log.entries.filter(({ level, msg }) => level === 'error' && pattern.test(String(msg))).length;

describe('Tokens that are rotated while the program runs', () => {
  it('from a file are read again after the first rejection, and the held upload is sent once more', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotation-'));
    const file = join(folder, 'token');
    await using sandbox = await createSandbox();
    await writeFile(file, sandbox.token);
    await using testServer = await createTestServer({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file },
    });
    assert.equal((await upload(testServer)).status, 200);
    await writeFile(file, 'rotated-token-1');
    sandbox.setToken('rotated-token-1');
    assert.equal((await upload(testServer)).status, 200);
    await writeFile(file, 'rotated-token-2');
    sandbox.setToken('rotated-token-2');
    assert.equal((await initiate(testServer)).status, 200);
    assert.equal(errorsInLog(testServer, /token/), 0, 'nothing was wrong');
    assert.doesNotMatch(testServer.log.lines.join(), /rotated-token/);
    await rm(folder, { recursive: true });
  });

  for (const [name, call] of [
    ['a JSON call', async (testServer: TestServer) => (await initiate(testServer)).status],
    ['a held upload', async (testServer: TestServer) => (await upload(testServer)).status],
    [
      'a passed-through call',
      async (testServer: TestServer) =>
        (await fetch(`${testServer.api}/conversations/${testServer.sandbox.conversationId}`)).status,
    ],
    [
      'a passed-through call with a body',
      async (testServer: TestServer) =>
        (
          await fetch(`${testServer.api}/conversations/messages`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ type: 'SMS', contactId: testServer.sandbox.contactId, message: 'hi' }),
          })
        ).status,
    ],
  ] as const) {
    it(`\`new,old\` is tried in order for ${name}, and what worked is used from then on`, async () => {
      await using sandbox = await createSandbox();
      await using testServer = await createTestServer({
        upstream: sandbox,
        env: {
          LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}`,
          PASSTHROUGH: 'GET /conversations/:id,POST /conversations/messages',
        },
      });
      assert([200, 201].includes(await call(testServer)));
      assert.deepEqual(bearers(testServer), ['not-yet-valid-token', sandbox.token]);
      assert([200, 201].includes(await call(testServer)));
      assert.deepEqual(bearers(testServer).slice(2), [sandbox.token]);
      sandbox.setToken('not-yet-valid-token');
      assert([200, 201].includes(await call(testServer)), 'and back, when the old one ends');
      assert.equal(errorsInLog(testServer, /token/), 0);
    });
  }

  it('`new,old` for a streamed upload: that one is rejected, the next one uses the other', async () => {
    await using sandbox = await createSandbox();
    await using testServer = await createTestServer({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}`, FORWARD_HOLD_BYTES: '0' },
    });
    const first = await upload(testServer);
    assert.deepEqual({ status: first.status, code: first.body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
    assert.equal((await upload(testServer)).status, 200);
    assert.doesNotMatch(await notices(testServer), /token/, 'the notice ended with the success');
  });

  it('a held upload that is sent again is counted against the budget twice', async () => {
    await using sandbox = await createSandbox({ rateLimit: { max: 3, intervalMs: 60_000, daily: 100 } });
    await using testServer = await createTestServer({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}` },
    });
    assert.equal((await upload(testServer)).status, 200);
    assert.equal((await upload(testServer)).status, 200);
    assert.equal((await upload(testServer)).body.code, 'UPSTREAM_BUDGET');
    assert.equal(sandbox.requests.length, 3);
  });

  it('many held uploads at the moment of a rotation all succeed', async () => {
    await using sandbox = await createSandbox({
      rateLimit: { max: 100_000, intervalMs: 10_000, daily: 1_000_000 },
    });
    await using testServer = await createTestServer({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `${sandbox.token},next-token` },
    });
    sandbox.setToken('next-token');
    const responses = await Promise.all(Array.from({ length: 20 }, () => upload(testServer)));
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200]));
    await testServer.assertClean({ completeUploads: sandbox.requests.length });
  });
});

describe('What Leadway’s 401 means', () => {
  for (const [fault, sentence] of [
    ['bad-token', /wrong, expired or revoked/],
    ['no-scope', /lacks the scope/],
    ['auth-class', /this kind of token/],
  ] as const) {
    it(`is told to the operator in its own sentence and to the client as UPSTREAM_AUTH: ${fault}`, async () => {
      await using testServer = await createTestServer({ sandbox: { fault } });
      for (let turn = 0; turn < 3; turn += 1) {
        const { status, body, text } = await upload(testServer);
        assert.deepEqual({ status, code: body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
        assert.doesNotMatch(text, /scope|JWT|AuthClass|LEADWAY_TOKEN/);
      }
      assert.match(await notices(testServer), sentence);
      assert(!(await notices(testServer)).includes(testServer.sandbox.locationId), 'in general words');
      assert.equal(errorsInLog(testServer, sentence), 1, 'said once');
      testServer.sandbox.fault = null;
      assert.equal((await upload(testServer)).status, 200);
      assert.equal(await notices(testServer), '');
    });
  }

  it('names no scope of uploads when it is a passed call that lacks one', async () => {
    await using testServer = await createTestServer({
      sandbox: { fault: 'no-scope' },
      env: { PASSTHROUGH: 'GET /conversations/:id' },
    });
    const { status, body } = await call(testServer, { path: '/conversations/1' });
    assert.deepEqual({ status, code: body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
    assert.match(
      await notices(testServer),
      /lacks the scope of GET \/conversations\/:id, which PASSTHROUGH lists/,
    );
    assert.doesNotMatch(await notices(testServer), /message\.write/);
  });

  it('is told once of a passed call, whatever succeeds in between', async () => {
    await using testServer = await createTestServer({
      env: { PASSTHROUGH: 'GET /conversations/:id,GET /conversations/:id/messages' },
    });
    const { conversationId } = testServer.sandbox;
    const askRejected = async (): Promise<void> => {
      testServer.sandbox.fault = 'no-scope';
      const { status } = await call(testServer, { path: `/conversations/${conversationId}/messages` });
      testServer.sandbox.fault = null;
      assert.equal(status, 502);
    };
    for (let turn = 0; turn < 3; turn += 1) {
      await askRejected();
      assert.equal((await upload(testServer)).status, 200);
      assert.equal((await call(testServer, { path: `/conversations/${conversationId}` })).status, 200);
    }
    const told = /lacks the scope of GET \/conversations\/:id\/messages, which/;
    assert.match(await notices(testServer), told);
    assert.equal(errorsInLog(testServer, told), 1, 'said once');
  });

  it('is forgotten of a bad token when any call succeeds', async () => {
    await using testServer = await createTestServer({
      sandbox: { fault: 'bad-token' },
      env: { PASSTHROUGH: 'GET /conversations/:id' },
    });
    const path = `/conversations/${testServer.sandbox.conversationId}`;
    assert.equal((await upload(testServer)).status, 502);
    assert.equal((await call(testServer, { path })).status, 502);
    assert.equal(errorsInLog(testServer, /wrong, expired or revoked/), 1, 'said once');
    testServer.sandbox.fault = null;
    assert.equal((await call(testServer, { path })).status, 200);
    assert.equal(await notices(testServer), '');
  });
});
