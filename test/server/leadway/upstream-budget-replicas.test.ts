import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../../sandbox/index.ts';
import { createHouse, type House, settled } from '../../helpers/house.ts';
import { fixture } from '../../helpers/multipart.ts';
import { needsRedis, startRedis } from '../../helpers/redis.ts';
import { type Answer, filePart, sendUpload, textParts } from '../../helpers/send-upload.ts';

/** Enough to be over the limit of 100; each costs a busy machine some of the ten seconds that the limit is for. */
const CALLS = 160;
const PICTURE = fixture('picture.png');

/** One way to make Leadway be called. */
type Caller = (house: House) => Promise<{ status: number; code: string | undefined; retryAfter: number }>;

const summary = ({ status, body, headers }: Answer) => ({
  status,
  code: body.code,
  retryAfter: Number(headers['retry-after'] ?? 0),
});

const postJson = async (house: House, path: string, body: object | null) => {
  const answer = await fetch(`${house.api}${path}`, {
    ...(body !== null && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const { code } = (await answer.json()) as { code?: string };
  return { status: answer.status, code, retryAfter: Number(answer.headers.get('retry-after') ?? 0) };
};

const WAYS: Readonly<Record<string, { env?: Record<string, string>; call: Caller }>> = {
  'held uploads': {
    call: async (house) =>
      summary(await sendUpload(house, [...textParts(house.fields), filePart('a.png', PICTURE, 'image/png')])),
  },
  'streamed uploads': {
    env: { FORWARD_HOLD_BYTES: '0' },
    call: async (house) =>
      summary(await sendUpload(house, [...textParts(house.fields), filePart('a.png', PICTURE, 'image/png')])),
  },
  'direct uploads': {
    call: (house) =>
      postJson(house, '/messages/upload/initiate', {
        conversationId: house.sandbox.conversationId,
        filename: 'a.png',
        contentType: 'image/png',
      }),
  },
  'passed-through calls': {
    env: { PASSTHROUGH: 'GET /conversations/:id' },
    call: (house) => postJson(house, `/conversations/${house.sandbox.conversationId}`, null),
  },
};

/** Sends all at once, in turns to every house, and holds what came of it to the budget. */
async function flood(sandbox: Sandbox, houses: readonly House[], call: Caller): Promise<void> {
  const started = performance.now();
  const answers = await Promise.all(
    Array.from({ length: CALLS }, (_, index) => call(houses[index % houses.length] as House)),
  );
  assert(performance.now() - started < 10_000, 'the machine is too slow for this test to say anything');
  const toLeadway = sandbox.requests.filter(({ service }) => service === 'leadway');
  assert(toLeadway.length <= 100, `${toLeadway.length} calls reached Leadway`);
  assert(toLeadway.length >= 95, `only ${toLeadway.length} calls reached Leadway`);
  assert.deepEqual(
    toLeadway.filter(({ status }) => status === 429),
    [],
    'Leadway refused none of them',
  );
  const accepted = answers.filter(({ status }) => status === 200);
  assert.equal(accepted.length, toLeadway.length);
  for (const { status, code, retryAfter } of answers) {
    if (status === 200) continue;
    assert.deepEqual({ status, code }, { status: 503, code: 'UPSTREAM_BUDGET' });
    assert(retryAfter >= 1 && retryAfter <= 11, `Retry-After: ${retryAfter}`);
  }
}

describe('The budget of a location with Leadway’s real limit', () => {
  for (const [name, { env = {}, call }] of Object.entries(WAYS)) {
    it(`is kept by one process for ${name}`, async () => {
      await using sandbox = await createSandbox();
      await using house = await createHouse({ upstream: sandbox, env });
      await flood(sandbox, [house], call);
    });
  }

  describe('with three replicas and one Redis', function suite() {
    needsRedis(this);
    for (const [name, { env = {}, call }] of Object.entries(WAYS)) {
      it(`is kept together for ${name}`, async () => {
        await using redis = await startRedis();
        await using sandbox = await createSandbox();
        const options = {
          upstream: sandbox,
          env: { ...env, REDIS_URL: redis.url, TICKET_SECRETS: 't'.repeat(32) },
        };
        await using first = await createHouse(options);
        await using second = await createHouse(options);
        await using third = await createHouse(options);
        const houses = [first, second, third];
        await settled(
          () => houses.every((house) => house.server.context.sharedStore?.isUp),
          'Redis is there',
        );
        await flood(sandbox, houses, call);
      });
    }
  });
});
