import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../../sandbox/index.ts';
import { fixture } from '../../helpers/multipart.ts';
import { needsRedis, startRedis } from '../../helpers/redis.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../../helpers/test-server.ts';

/** Enough to be over the limit of 100; each costs a busy machine some of the ten seconds that the limit is for. */
const CALLS = 160;
const PICTURE = fixture('picture.png');

/** One way to make Leadway be called. */
type Client = (
  testServer: TestServer,
) => Promise<{ status: number; code: string | undefined; retryAfter: number }>;

const summary = ({ status, body, headers }: ApiResponse) => ({
  status,
  code: body.code,
  retryAfter: Number(headers['retry-after'] ?? 0),
});

const postJson = async (testServer: TestServer, path: string, body: object | null) => {
  const response = await fetch(`${testServer.api}${path}`, {
    ...(body !== null && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const { code } = (await response.json()) as { code?: string };
  return { status: response.status, code, retryAfter: Number(response.headers.get('retry-after') ?? 0) };
};

const WAYS: Readonly<Record<string, { env?: Record<string, string>; call: Client }>> = {
  'held uploads': {
    call: async (testServer) =>
      summary(
        await sendUpload(testServer, [
          ...textParts(testServer.fields),
          filePart('a.png', PICTURE, 'image/png'),
        ]),
      ),
  },
  'streamed uploads': {
    env: { FORWARD_HOLD_BYTES: '0' },
    call: async (testServer) =>
      summary(
        await sendUpload(testServer, [
          ...textParts(testServer.fields),
          filePart('a.png', PICTURE, 'image/png'),
        ]),
      ),
  },
  'direct uploads': {
    call: (testServer) =>
      postJson(testServer, '/messages/upload/initiate', {
        conversationId: testServer.sandbox.conversationId,
        filename: 'a.png',
        contentType: 'image/png',
      }),
  },
  'passed-through calls': {
    env: { PASSTHROUGH: 'GET /conversations/:id' },
    call: (testServer) => postJson(testServer, `/conversations/${testServer.sandbox.conversationId}`, null),
  },
};

/** Sends all at once, in turns to every test server, and holds what came of it to the budget. */
async function flood(sandbox: Sandbox, servers: readonly TestServer[], call: Client): Promise<void> {
  const started = performance.now();
  const responses = await Promise.all(
    Array.from({ length: CALLS }, (_, index) => call(servers[index % servers.length] as TestServer)),
  );
  assert(performance.now() - started < 10_000, 'the machine is too slow for this test to say anything');
  const toLeadway = sandbox.requests.filter(({ service }) => service === 'leadway');
  assert(toLeadway.length <= 100, `${toLeadway.length} calls reached Leadway`);
  assert(toLeadway.length >= 95, `only ${toLeadway.length} calls reached Leadway`);
  assert.deepEqual(
    toLeadway.filter(({ status }) => status === 429),
    [],
    'Leadway rejected none of them',
  );
  const accepted = responses.filter(({ status }) => status === 200);
  assert.equal(accepted.length, toLeadway.length);
  for (const { status, code, retryAfter } of responses) {
    if (status === 200) continue;
    assert.deepEqual({ status, code }, { status: 503, code: 'UPSTREAM_BUDGET' });
    assert(retryAfter >= 1 && retryAfter <= 11, `Retry-After: ${retryAfter}`);
  }
}

describe('The budget of a location with Leadway’s real limit', () => {
  for (const [name, { env = {}, call }] of Object.entries(WAYS)) {
    it(`is kept by one process for ${name}`, async () => {
      await using sandbox = await createSandbox();
      await using testServer = await createTestServer({ upstream: sandbox, env });
      await flood(sandbox, [testServer], call);
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
        await using first = await createTestServer(options);
        await using second = await createTestServer(options);
        await using third = await createTestServer(options);
        const servers = [first, second, third];
        await settled(
          () => servers.every((testServer) => testServer.server.context.sharedStore?.isUp),
          'Redis is there',
        );
        await flood(sandbox, servers, call);
      });
    }
  });
});
