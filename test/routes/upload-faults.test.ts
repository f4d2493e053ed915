import assert from 'node:assert/strict';
import type { FaultName } from '../../sandbox/index.ts';
import { createHouse, type House, settled } from '../helpers/house.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { type Answer, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

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
  /** Leadway's answer had a trace id. */
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
  'early-401': { ...AUTH, traced: true, log: /Leadway refused the token/ },
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
  'bad-token': { ...AUTH, traced: true, log: /Leadway refused the token/ },
  'no-scope': { ...AUTH, traced: true, log: /lacks the scope/ },
  'auth-class': { ...AUTH, traced: true, log: /kind of token/ },
  leaky: { ...rejected(400), traced: true, message: /\[removed\]/ },
} as const satisfies Partial<Record<FaultName, Expected>>;

function assertAnswer(house: House, answer: Answer, expected: Expected): void {
  const { status, code, retryable, retryAfter, message, traced = false, log } = expected;
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.code, code, answer.text);
  assert.equal(answer.body.retryable, retryable, answer.text);
  assert.equal(answer.headers['retry-after'], retryAfter);
  assert.equal(answer.body.upstreamTraceId !== undefined, traced, `a trace id: ${answer.text}`);
  if (code !== undefined) assert.equal(answer.body.status, status);
  if (message) assert.match(answer.body.message ?? '', message);
  if (log)
    assert(
      house.log.lines.some((line) => log.test(line)),
      'the operator is told',
    );
  for (const secret of [
    house.sandbox.token,
    '10.23.45.67',
    'storage.googleapis.com',
    '0badc0de',
    '127.0.0.1',
  ]) {
    if (status !== 200) assert(!answer.text.includes(secret), `the answer holds ${secret}`);
  }
}

describe('a fault of Leadway during a forwarded upload', () => {
  for (const [name, expected] of Object.entries<Expected>(FAULTS)) {
    const isEarly = /^(early|refuse|reset)/.test(name);
    for (const file of [picture, isEarly ? longFilm : film]) {
      it(`${name}: ${expected.code ?? 'success'}, ${file === picture ? 'held' : 'streamed'}`, async () => {
        await using house = await createHouse({
          env: { UPSTREAM_TIMEOUT_MS: '700', FORWARD_MAX_BYTES: '20000000' },
        });
        const fields: Part[] = textParts({ ...house.fields, conversationId: `fault-${name}_1` });
        const answer = await sendUpload(house, [...fields, file], { query: '?mode=forward' });
        assertAnswer(house, answer, expected);
        const complete = house.sandbox.requests.filter((request) => request.complete).length;
        if (file === longFilm) assert.equal(complete, 0, 'nothing is committed after the fault');
        assert(complete <= 1, 'an upload is not sent twice');
        await house.assertTidy({ completeUploads: complete });
        // Redirects are never followed, and one request is all that was made.
        assert.equal(house.sandbox.requests.length, 1);
      });
    }
  }

  it('early-413-close: the answer is passed on when it came through before the reset', async () => {
    await using house = await createHouse({ env: { FORWARD_MAX_BYTES: '20000000' } });
    const fields = textParts({ ...house.fields, conversationId: 'fault-early-413-close' });
    for (const file of [picture, longFilm]) {
      const answer = await sendUpload(house, [...fields, file]);
      assertAnswer(house, answer, answer.status === 413 ? rejected(413) : ABORTED);
    }
    await settled(() => house.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('stops-reading: UPSTREAM_TIMEOUT for what is small enough for the buffers on the way, too', async () => {
    await using house = await createHouse({ env: { UPSTREAM_TIMEOUT_MS: '200' } });
    const fields = textParts({ ...house.fields, conversationId: 'fault-stops-reading' });
    assertAnswer(house, await sendUpload(house, [...fields, picture]), TIMEOUT);
    await settled(() => house.server.context.slots.taken === 0, 'every upload slot is free');
  });

  it('slow-body: success, however slowly the answer comes', async () => {
    // The answer takes longer than the time-out, and none of its pieces nearly so.
    await using house = await createHouse({
      env: { UPSTREAM_TIMEOUT_MS: '1000' },
      sandbox: { slowMs: 1_500 },
    });
    const fields = textParts({ ...house.fields, conversationId: 'fault-slow-body' });
    assertAnswer(house, await sendUpload(house, [...fields, picture]), OK);
    assertAnswer(house, await sendUpload(house, [...fields, filePart('a.mp4', mp4(400_000))]), OK);
    await house.assertTidy({ completeUploads: 2 });
  });

  it('refuse for everything: UPSTREAM_UNREACHABLE, a notice, and well again when Leadway is', async () => {
    await using house = await createHouse();
    house.sandbox.fault = 'refuse';
    await house.sandbox.ready();
    for (const file of [picture, film]) {
      assertAnswer(house, await sendUpload(house, [...textParts(house.fields), file]), UNREACHABLE);
    }
    const { host } = new URL(house.sandbox.url);
    const told = house.log.entries.filter(({ msg }) => String(msg).startsWith(`${host} can’t be reached`));
    assert.deepEqual(
      told.map(({ level }) => level),
      ['error', 'debug'],
      'aloud once',
    );
    const ready = await fetch(`${house.url}/readyz`);
    assert.equal(ready.status, 200);
    assert.deepEqual(((await ready.json()) as { notices: unknown }).notices, ['Leadway can’t be reached']);
    house.sandbox.fault = null;
    await house.sandbox.ready();
    assertAnswer(house, await sendUpload(house, [...textParts(house.fields), picture]), OK);
    assert(house.log.entries.some(({ msg }) => msg === `${host} can be reached again`));
    assert.deepEqual(house.server.context.lifecycle.notices(), []);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('stale-keep-alive: success, since a held upload is sent once more; UPSTREAM_ABORTED for a streamed one', async () => {
    await using house = await createHouse();
    const stale = textParts({ ...house.fields, conversationId: 'fault-stale-keep-alive' });
    assertAnswer(house, await sendUpload(house, [...stale, picture]), OK);
    assertAnswer(house, await sendUpload(house, [...textParts(house.fields), picture]), OK);
    assertAnswer(house, await sendUpload(house, [...stale, picture]), OK);
    assertAnswer(house, await sendUpload(house, [...textParts(house.fields), film]), ABORTED);
    await house.assertTidy({ completeUploads: 3 });
  });

  it('a conversation that does not exist: 404, the caller’s fault, although Leadway says 500', async () => {
    await using house = await createHouse();
    const fields = textParts({ ...house.fields, conversationId: 'missing-1' });
    const answer = await sendUpload(house, [...fields, picture]);
    assert.equal(answer.status, 404);
    assert.equal(answer.body.retryable, false);
    assert.equal(answer.body.message, 'The conversation was not found.');
    const spanish = await sendUpload(house, [...fields, picture], { headers: { 'Accept-Language': 'es' } });
    assert.equal(spanish.body.message, 'No se encontró la conversación.');
    await house.assertTidy({ completeUploads: 2 });
  });

  it('a limit of Leadway’s own: its 413 comes through while the caller is still sending', async () => {
    await using house = await createHouse({
      env: { FORWARD_MAX_BYTES: '20000000' },
      sandbox: { maxUploadBytes: 100_000 },
    });
    const answer = await sendUpload(house, [...textParts(house.fields), longFilm]);
    assertAnswer(house, answer, { ...rejected(413), message: /Failed to upload the files/ });
    await house.assertTidy();
  });
});
