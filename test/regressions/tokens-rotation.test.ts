import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSandbox } from '../../sandbox/index.ts';
import { call } from '../helpers/call.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture } from '../helpers/multipart.ts';
import { type Answer, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

const PICTURE = fixture('picture.png');
const upload = (house: House, fields: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  sendUpload(house, [...textParts({ ...house.fields, ...fields }), filePart('a.png', PICTURE, 'image/png')]);

const initiate = (house: House): Promise<Response> =>
  fetch(`${house.api}/messages/upload/initiate`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      conversationId: house.sandbox.conversationId,
      filename: 'a.png',
      contentType: 'image/png',
    }),
  });

const notices = async (house: House): Promise<string> => {
  const answer = await fetch(`${house.url}/readyz`);
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { notices: string[] }).notices.join();
};

const bearers = (house: House): unknown[] =>
  house.sandbox.requests.map(({ headers }) => String(headers['authorization']).replace('Bearer ', ''));

const errorsInLog = (house: House, pattern: RegExp): number =>
  house.log.entries.filter(({ level, msg }) => level === 'error' && pattern.test(String(msg))).length;

describe('Tokens that are rotated while the program runs', () => {
  it('from a file are read again after the first refusal, and the held upload is sent once more', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotation-'));
    const file = join(folder, 'token');
    await using sandbox = await createSandbox();
    await writeFile(file, sandbox.token);
    await using house = await createHouse({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file },
    });
    assert.equal((await upload(house)).status, 200);
    await writeFile(file, 'rotated-token-1');
    sandbox.setToken('rotated-token-1');
    assert.equal((await upload(house)).status, 200);
    await writeFile(file, 'rotated-token-2');
    sandbox.setToken('rotated-token-2');
    assert.equal((await initiate(house)).status, 200);
    assert.equal(errorsInLog(house, /token/), 0, 'nothing was wrong');
    assert.doesNotMatch(house.log.lines.join(), /rotated-token/);
    await rm(folder, { recursive: true });
  });

  for (const [name, call] of [
    ['a JSON call', async (house: House) => (await initiate(house)).status],
    ['a held upload', async (house: House) => (await upload(house)).status],
    [
      'a passed-through call',
      async (house: House) =>
        (await fetch(`${house.api}/conversations/${house.sandbox.conversationId}`)).status,
    ],
    [
      'a passed-through call with a body',
      async (house: House) =>
        (
          await fetch(`${house.api}/conversations/messages`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ type: 'SMS', contactId: house.sandbox.contactId, message: 'hi' }),
          })
        ).status,
    ],
  ] as const) {
    it(`\`new,old\` is tried in order for ${name}, and what worked is used from then on`, async () => {
      await using sandbox = await createSandbox();
      await using house = await createHouse({
        upstream: sandbox,
        env: {
          LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}`,
          PASSTHROUGH: 'GET /conversations/:id,POST /conversations/messages',
        },
      });
      assert([200, 201].includes(await call(house)));
      assert.deepEqual(bearers(house), ['not-yet-valid-token', sandbox.token]);
      assert([200, 201].includes(await call(house)));
      assert.deepEqual(bearers(house).slice(2), [sandbox.token]);
      sandbox.setToken('not-yet-valid-token');
      assert([200, 201].includes(await call(house)), 'and back, when the old one ends');
      assert.equal(errorsInLog(house, /token/), 0);
    });
  }

  it('`new,old` for a streamed upload: that one is refused, the next one uses the other', async () => {
    await using sandbox = await createSandbox();
    await using house = await createHouse({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}`, FORWARD_HOLD_BYTES: '0' },
    });
    const first = await upload(house);
    assert.deepEqual({ status: first.status, code: first.body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
    assert.equal((await upload(house)).status, 200);
    assert.doesNotMatch(await notices(house), /token/, 'the notice ended with the success');
  });

  it('a held upload that is sent again is counted against the budget twice', async () => {
    await using sandbox = await createSandbox({ rateLimit: { max: 3, intervalMs: 60_000, daily: 100 } });
    await using house = await createHouse({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `not-yet-valid-token,${sandbox.token}` },
    });
    assert.equal((await upload(house)).status, 200);
    assert.equal((await upload(house)).status, 200);
    assert.equal((await upload(house)).body.code, 'UPSTREAM_BUDGET');
    assert.equal(sandbox.requests.length, 3);
  });

  it('many held uploads at the moment of a rotation all succeed', async () => {
    await using sandbox = await createSandbox({
      rateLimit: { max: 100_000, intervalMs: 10_000, daily: 1_000_000 },
    });
    await using house = await createHouse({
      upstream: sandbox,
      env: { LEADWAY_TOKEN: `${sandbox.token},next-token` },
    });
    sandbox.setToken('next-token');
    const answers = await Promise.all(Array.from({ length: 20 }, () => upload(house)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    await house.assertTidy({ completeUploads: sandbox.requests.length });
  });
});

describe('What Leadway’s 401 means', () => {
  for (const [fault, sentence] of [
    ['bad-token', /wrong, expired or revoked/],
    ['no-scope', /lacks the scope/],
    ['auth-class', /this kind of token/],
  ] as const) {
    it(`is told to the operator in a sentence of its own and to the caller as UPSTREAM_AUTH: ${fault}`, async () => {
      await using house = await createHouse({ sandbox: { fault } });
      for (let turn = 0; turn < 3; turn += 1) {
        const { status, body, text } = await upload(house);
        assert.deepEqual({ status, code: body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
        assert.doesNotMatch(text, /scope|JWT|AuthClass|LEADWAY_TOKEN/);
      }
      assert.match(await notices(house), sentence);
      assert(!(await notices(house)).includes(house.sandbox.locationId), 'in general words');
      assert.equal(errorsInLog(house, sentence), 1, 'said once');
      house.sandbox.fault = null;
      assert.equal((await upload(house)).status, 200);
      assert.equal(await notices(house), '');
    });
  }

  it('names no scope of uploads when it is a passed call that lacks one', async () => {
    await using house = await createHouse({
      sandbox: { fault: 'no-scope' },
      env: { PASSTHROUGH: 'GET /conversations/:id' },
    });
    const { status, body } = await call(house, { path: '/conversations/1' });
    assert.deepEqual({ status, code: body.code }, { status: 502, code: 'UPSTREAM_AUTH' });
    assert.match(
      await notices(house),
      /lacks the scope of GET \/conversations\/:id, which PASSTHROUGH lists/,
    );
    assert.doesNotMatch(await notices(house), /message\.write/);
  });

  it('is told once of a passed call, whatever succeeds in between', async () => {
    await using house = await createHouse({
      env: { PASSTHROUGH: 'GET /conversations/:id,GET /conversations/:id/messages' },
    });
    const { conversationId } = house.sandbox;
    const askRefused = async (): Promise<void> => {
      house.sandbox.fault = 'no-scope';
      const { status } = await call(house, { path: `/conversations/${conversationId}/messages` });
      house.sandbox.fault = null;
      assert.equal(status, 502);
    };
    for (let turn = 0; turn < 3; turn += 1) {
      await askRefused();
      assert.equal((await upload(house)).status, 200);
      assert.equal((await call(house, { path: `/conversations/${conversationId}` })).status, 200);
    }
    const told = /lacks the scope of GET \/conversations\/:id\/messages, which/;
    assert.match(await notices(house), told);
    assert.equal(errorsInLog(house, told), 1, 'said once');
  });

  it('is forgotten of a bad token when any call succeeds', async () => {
    await using house = await createHouse({
      sandbox: { fault: 'bad-token' },
      env: { PASSTHROUGH: 'GET /conversations/:id' },
    });
    const path = `/conversations/${house.sandbox.conversationId}`;
    assert.equal((await upload(house)).status, 502);
    assert.equal((await call(house, { path })).status, 502);
    assert.equal(errorsInLog(house, /wrong, expired or revoked/), 1, 'said once');
    house.sandbox.fault = null;
    assert.equal((await call(house, { path })).status, 200);
    assert.equal(await notices(house), '');
  });
});
