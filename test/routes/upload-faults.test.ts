import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const picture = filePart('a.png', fixture('picture.png'));
/** More than is held, so that it is streamed. */
const film = filePart('a.mp4', mp4(1_000_000));
/** More than socket buffers hold, so that a fault strikes before the commit. */
const longFilm = filePart('a.mp4', mp4(16_000_000));

interface Expected {
  readonly status: number;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly retryAfter?: string;
  readonly message?: RegExp;
  /** Leadway's response had a trace id. */
  readonly traced?: boolean;
  /** What the operator reads. */
  readonly log?: RegExp;
}

const OK: Expected = { status: 200 };
const ABORTED: Expected = { status: 502, code: 'UPSTREAM_ABORTED', retryable: true };
const ERROR: Expected = { status: 502, code: 'UPSTREAM_ERROR', retryable: true };
const UNREACHABLE: Expected = { status: 502, code: 'UPSTREAM_UNREACHABLE', retryable: true };
const AUTH: Expected = { status: 502, code: 'UPSTREAM_AUTH', retryable: false };
const TIMEOUT: Expected = { status: 504, code: 'UPSTREAM_TIMEOUT', retryable: true };
const rejected = (status: number): Expected => ({ status, code: 'UPSTREAM_REJECTED', retryable: false });

const FAULTS = {
  refuse: ABORTED,
  'slow-headers': OK,
  'never-answers': TIMEOUT,
  cut: ABORTED,
  'reset-mid-upload': ABORTED,
  'early-413': { ...rejected(413), message: /File size exceeds the limit/ },
  'early-413-stuck': { ...rejected(413), message: /File size exceeds the limit/ },
  'early-401': { ...AUTH, traced: true, log: /Leadway rejected the token/ },
  'status-400': { ...rejected(400), traced: true, message: /Sandbox fault 400/ },
  'status-404': { ...rejected(404), traced: true },
  'status-413': { ...rejected(413), traced: true },
  'status-415': { ...rejected(415), traced: true },
  'status-422': { ...rejected(422), traced: true },
  'status-403': { ...AUTH, traced: true, log: /no access to this location/ },
  'status-409': { ...rejected(409), traced: true },
  'status-411': { ...rejected(411), traced: true, message: /fileSize/, log: /FORWARD_HOLD_BYTES/ },
  'status-423': { ...rejected(423), traced: true },
  'status-402': { ...ERROR, retryable: false, traced: true },
  'status-405': { ...ERROR, retryable: false, traced: true },
  'status-500': { ...ERROR, traced: true },
  'status-502': { ...ERROR, traced: true },
  'status-503': { ...ERROR, traced: true },
  'status-301': { ...ERROR, traced: true },
  'status-307': { ...ERROR, traced: true },
  'status-204': ERROR,
  'status-299': ERROR,
  html: ERROR,
  'bad-json': ERROR,
  'huge-json': ERROR,
  'empty-success': ERROR,
  '429': { ...rejected(429), retryable: true, retryAfter: '10', traced: true },
  '429-retry-after': { ...rejected(429), retryable: true, retryAfter: '1', traced: true },
  'bad-token': { ...AUTH, traced: true, log: /Leadway rejected the token/ },
  'no-scope': { ...AUTH, traced: true, log: /lacks the scope/ },
  'auth-class': { ...AUTH, traced: true, log: /kind of token/ },
  leaky: { ...rejected(400), traced: true, message: /\[removed\]/ },
} as const satisfies Partial<Record<FaultName, Expected>>;

function assertResponse(testServer: TestServer, response: ApiResponse, expected: Expected): void {
  const { status, code, retryable, retryAfter, message, traced = false, log } = expected;
  assert.equal(response.status, status, response.text);
  assert.equal(response.body.code, code, response.text);
  assert.equal(response.body.retryable, retryable, response.text);
  assert.equal(response.headers['retry-after'], retryAfter);
  assert.equal(response.body.upstreamTraceId !== undefined, traced, `a trace id: ${response.text}`);
  if (code !== undefined) assert.equal(response.body.status, status);
  if (message) assert.match(response.body.message ?? '', message);
  if (log)
    assert(
      testServer.log.lines.some((line) => log.test(line)),
      'the operator is told',
    );
  for (const secret of [
    testServer.sandbox.token,
    '10.23.45.67',
    'storage.googleapis.com',
    '0badc0de',
    '127.0.0.1',
  ]) {
    if (status !== 200) assert(!response.text.includes(secret), `the response holds ${secret}`);
  }
}

describe('a fault of Leadway during a forwarded upload', () => {
  for (const [name, expected] of Object.entries<Expected>(FAULTS)) {
    const isEarly = /^(early|refuse|reset)/.test(name);
    for (const file of [picture, isEarly ? longFilm : film]) {
      it(`${name}: ${expected.code ?? 'success'}, ${file === picture ? 'held' : 'streamed'}`, async () => {
        await using testServer = await createTestServer({
          env: { UPSTREAM_TIMEOUT_MS: '700', FORWARD_MAX_BYTES: '20000000' },
        });
        const fields: Part[] = textParts({ ...testServer.fields, conversationId: `fault-${name}_1` });
        const response = await sendUpload(testServer, [...fields, file], { query: '?mode=forward' });
        assertResponse(testServer, response, expected);
        const complete = testServer.sandbox.requests.filter((request) => request.complete).length;
        if (file === longFilm) assert.equal(complete, 0, 'nothing is committed after the fault');
        assert(complete <= 1, 'an upload is not sent twice');
        await testServer.assertClean({ completeUploads: complete });
        // Redirects are never followed, and one request is all that was made.
        assert.equal(testServer.sandbox.requests.length, 1);
      });
    }
  }

  it('early-413-close: the response is passed on when it came through before the reset', async () => {
    await using testServer = await createTestServer({ env: { FORWARD_MAX_BYTES: '20000000' } });
    const fields = textParts({ ...testServer.fields, conversationId: 'fault-early-413-close' });
    for (const file of [picture, longFilm]) {
      const response = await sendUpload(testServer, [...fields, file]);
      assertResponse(testServer, response, response.status === 413 ? rejected(413) : ABORTED);
    }
    await settled(() => testServer.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('stops-reading: UPSTREAM_TIMEOUT for what is small enough for the buffers on the way, too', async () => {
    await using testServer = await createTestServer({ env: { UPSTREAM_TIMEOUT_MS: '200' } });
    const fields = textParts({ ...testServer.fields, conversationId: 'fault-stops-reading' });
    assertResponse(testServer, await sendUpload(testServer, [...fields, picture]), TIMEOUT);
    await settled(() => testServer.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('slow-body: success, however slowly the response comes', async () => {
    // The response takes longer than the timeout, and none of its pieces nearly so.
    await using testServer = await createTestServer({
      env: { UPSTREAM_TIMEOUT_MS: '1000' },
      sandbox: { slowMs: 1_500 },
    });
    const fields = textParts({ ...testServer.fields, conversationId: 'fault-slow-body' });
    assertResponse(testServer, await sendUpload(testServer, [...fields, picture]), OK);
    assertResponse(
      testServer,
      await sendUpload(testServer, [...fields, filePart('a.mp4', mp4(400_000))]),
      OK,
    );
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('reject for everything: UPSTREAM_UNREACHABLE, a notice, and well again when Leadway is', async () => {
    await using testServer = await createTestServer();
    testServer.sandbox.fault = 'refuse';
    await testServer.sandbox.ready();
    for (const file of [picture, film]) {
      assertResponse(
        testServer,
        await sendUpload(testServer, [...textParts(testServer.fields), file]),
        UNREACHABLE,
      );
    }
    const { host } = new URL(testServer.sandbox.url);
    const told = testServer.log.entries.filter(({ msg }) =>
      String(msg).startsWith(`${host} can’t be reached`),
    );
    assert.deepEqual(
      told.map(({ level }) => level),
      ['error', 'debug'],
      'aloud once',
    );
    const ready = await fetch(`${testServer.url}/readyz`);
    assert.equal(ready.status, 200);
    assert.deepEqual(((await ready.json()) as { notices: unknown }).notices, ['Leadway can’t be reached']);
    testServer.sandbox.fault = null;
    await testServer.sandbox.ready();
    assertResponse(testServer, await sendUpload(testServer, [...textParts(testServer.fields), picture]), OK);
    assert(testServer.log.entries.some(({ msg }) => msg === `${host} can be reached again`));
    assert.deepEqual(testServer.server.context.lifecycle.notices(), []);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('stale-keep-alive: success, since a held upload is sent once more; UPSTREAM_ABORTED for a streamed one', async () => {
    await using testServer = await createTestServer();
    const stale = textParts({ ...testServer.fields, conversationId: 'fault-stale-keep-alive' });
    assertResponse(testServer, await sendUpload(testServer, [...stale, picture]), OK);
    assertResponse(testServer, await sendUpload(testServer, [...textParts(testServer.fields), picture]), OK);
    assertResponse(testServer, await sendUpload(testServer, [...stale, film]), OK);
    assertResponse(
      testServer,
      await sendUpload(testServer, [...textParts(testServer.fields), film]),
      ABORTED,
    );
    await testServer.assertClean({ completeUploads: 3 });
  });

  it('a conversation that does not exist: 404, the client’s fault, although Leadway says 500', async () => {
    await using testServer = await createTestServer();
    const fields = textParts({ ...testServer.fields, conversationId: 'missing-1' });
    const response = await sendUpload(testServer, [...fields, picture]);
    assert.equal(response.status, 404);
    assert.equal(response.body.retryable, false);
    assert.equal(response.body.message, 'The conversation was not found.');
    const spanish = await sendUpload(testServer, [...fields, picture], {
      headers: { 'Accept-Language': 'es' },
    });
    assert.equal(spanish.body.message, 'No se encontró la conversación.');
    await testServer.assertClean({ completeUploads: 2 });
  });

  it('a limit of Leadway’s own: its 413 comes through while the client is still sending', async () => {
    await using testServer = await createTestServer({
      env: { FORWARD_MAX_BYTES: '20000000' },
      sandbox: { maxUploadBytes: 100_000 },
    });
    const response = await sendUpload(testServer, [...textParts(testServer.fields), longFilm]);
    assertResponse(testServer, response, { ...rejected(413), message: /Failed to upload the files/ });
    await testServer.assertClean();
  });
});
