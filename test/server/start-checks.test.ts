import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Lifecycle } from '../../server/lifecycle.ts';
import { createLogger } from '../../server/logger.ts';
import { addStartChecks, createClockCheck, createTokenCheck } from '../../server/start-checks.ts';
import { call, initiate } from '../helpers/direct-steps.ts';
import { createFakeLeadway } from '../helpers/fake-leadway.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { startProgram } from '../helpers/upstream-program.ts';
import { accept } from './config/helpers.ts';
import { tempFolder } from './program.ts';

const TOKEN = { LEADWAY_TOKEN: 'pit-not-a-real-token', LEADWAY_LOCATION_ID: 'location1' };

function check(env: Readonly<Record<string, string>>, descriptorLimit: number | null = null) {
  const { config, secrets } = accept({ ...TOKEN, ...env });
  const lifecycle = new Lifecycle();
  const log = new LogSink();
  const logger = createLogger({ level: 'trace', destination: log });
  addStartChecks({ config, secrets, lifecycle, logger, descriptorLimit });
  const notices = lifecycle.notices();
  return {
    public: notices.map(({ text }) => text),
    operator: notices.map(({ detail }) => detail),
    log: log.lines,
  };
}

describe('the checks at start', () => {
  it('say nothing where nothing is wrong', () => {
    const found = check({ REDIS_URL: 'redis://redis', TICKET_SECRETS: 'x'.repeat(40) }, 65_536);
    assert.deepEqual(found, { public: [], operator: [], log: [] });
  });

  it('notice Redis without TICKET_SECRETS', () => {
    const found = check({ REDIS_URL: 'redis://redis' });
    assert.deepEqual(found.public, ['Direct uploads work only on the replica that began them']);
    assert.match(found.operator.join(), /Give all replicas the same TICKET_SECRETS/);
    assert.equal(found.log.length, 1);
  });

  it('notice a limit of open files that is too low for MAX_CONCURRENT_UPLOADS', () => {
    const found = check({ MAX_CONCURRENT_UPLOADS: '1000' }, 1_024);
    assert.deepEqual(found.public, ['The limit of open files is low']);
    assert.match(
      found.operator.join(),
      /may open 1024 files, but MAX_CONCURRENT_UPLOADS=1000 needs about 3100/,
    );
    assert.equal(found.log.length, 1);
    assert.deepEqual(check({ MAX_CONCURRENT_UPLOADS: '1000' }, 3_100).public, []);
  });
});

describe('the check of MAX_FILES', () => {
  it('notices more files than Leadway documents', () => {
    const found = check({ MAX_FILES: '6' });
    assert.deepEqual(found.public, ['MAX_FILES is above what Leadway documents']);
    assert.match(
      found.operator.join(),
      /MAX_FILES is 6, but Leadway documents at most 5 files in one upload/,
    );
    assert.equal(found.log.length, 1);
    assert.deepEqual(check({ MAX_FILES: '5' }).public, []);
  });
});

describe('the clock check', () => {
  const at = Date.parse('2026-11-26T12:00:00Z');

  it('notices a clock that is off, once, until it is right again', () => {
    const log = new LogSink();
    const clock = createClockCheck(createLogger({ level: 'trace', destination: log }), () => at);
    clock.note('Thu, 26 Nov 2026 12:00:50 GMT');
    clock.note('nonsense');
    clock.note(undefined);
    assert.equal(clock.problem(), null);
    clock.note('Thu, 26 Nov 2026 12:05:00 GMT');
    clock.note('Thu, 26 Nov 2026 12:05:00 GMT');
    assert.match(clock.problem()?.detail ?? '', /300 s behind Leadway’s\. Set it by NTP/);
    assert.equal(log.lines.length, 1);
    clock.note('Thu, 26 Nov 2026 11:59:59 GMT');
    assert.equal(clock.problem(), null);
    assert.equal(log.lines.length, 2);
  });
});

describe('the check of the tokens', () => {
  /** Checks once and resolves to the locations that were asked for. */
  async function checked(
    locationIds: readonly string[],
    { heard = [], failing = [] }: { readonly heard?: readonly string[]; readonly failing?: string[] } = {},
  ): Promise<string[]> {
    const asked: string[] = [];
    const done = Promise.withResolvers<void>();
    using tokens = createTokenCheck({
      locationIds: [...locationIds, 'last'],
      delayMs: 0,
      async check(locationId) {
        asked.push(locationId);
        if (failing.includes(locationId)) throw new Error('no response');
        if (locationId === 'last') done.resolve();
      },
    });
    for (const locationId of heard) tokens.noteResponse(locationId);
    tokens.start();
    tokens.start();
    await done.promise;
    return asked.slice(0, -1);
  }

  it('calls once for each location, and goes on when one fails', async () => {
    assert.deepEqual(await checked(['one', 'two', 'three'], { failing: ['two'] }), ['one', 'two', 'three']);
  });

  it('leaves out a location for which Leadway has responded to an upload meanwhile', async () => {
    assert.deepEqual(await checked(['one', 'two'], { heard: ['one'] }), ['two']);
  });

  it('calls for at most twenty locations', async () => {
    let calls = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    using tokens = createTokenCheck({
      locationIds: Array.from({ length: 30 }, (_, index) => `location${index}`),
      delayMs: 0,
      async check(locationId) {
        calls += 1;
        if (locationId === 'location19') resolve();
      },
    });
    tokens.start();
    await promise;
    await new Promise((done) => setImmediate(done));
    assert.equal(calls, 20);
  });

  it('sends nothing once the server has stopped', async () => {
    const tokens = createTokenCheck({
      locationIds: ['one'],
      delayMs: 0,
      check: () => assert.fail('it was called'),
    });
    tokens.start();
    tokens[Symbol.dispose]();
    tokens.start();
    await checked(['another']); // later, with the same delay
  });

  it('logs a rejected token with its fix and shows it in /readyz, before any upload', async () => {
    const token = 'pit-fake-revoked-token';
    await using leadway = await createFakeLeadway(() => ({
      status: 401,
      json: { statusCode: 401, message: 'Invalid JWT' },
    }));
    await using program = await startProgram(leadway.url, { LEADWAY_TOKEN: token });
    const line = () => program.log.find(({ level }) => level === 'error');
    await settled(() => line() !== undefined, 'it is logged', 10_000);
    assert.match(
      String(line()?.['msg']),
      /^Leadway rejected the token: .* Put a valid one in LEADWAY_TOKEN\.$/,
    );
    const { status, notices } = await program.readiness();
    assert.equal(status, 200);
    assert.deepEqual(notices, [line()?.['msg']]);
    assert.deepEqual(new Set(leadway.calls), new Set(['POST /conversations/messages']));
  });

  it('says nothing about a good token, whose call Leadway rejects for its fields', async () => {
    await using testServer = await createTestServer();
    const { leadway } = testServer.server.context.uploads;
    const { locationId } = testServer.sandbox;
    await leadway.checkToken(locationId, new AbortController().signal);
    assert.deepEqual(
      testServer.sandbox.requests.map(({ path, status }) => [path, status]),
      [['/conversations/messages', 400]],
    );
    assert.equal(leadway.authProblem(), null);
    await testServer.assertClean();
  });

  it('takes nothing but a 401 for a statement about the token', async () => {
    for (const status of [403, 404, 429, 500]) {
      await using leadway = await createFakeLeadway(() => ({ status, json: { message: 'rejected' } }));
      await using testServer = await createTestServer({ env: { LEADWAY_BASE_URL: leadway.url } });
      const { uploads, lifecycle } = testServer.server.context;
      await uploads.leadway.checkToken(testServer.sandbox.locationId, new AbortController().signal);
      assert.deepEqual(lifecycle.notices(), [], `${status}`);
    }
  });

  it('finds a token that has been replaced', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'token');
    await writeFile(file, 'pit-fake-revoked-token');
    await using testServer = await createTestServer({
      env: { LEADWAY_TOKEN: '', LEADWAY_TOKEN_FILE: file },
    });
    const { context } = testServer.server;
    await initiate(testServer);
    assert.match(context.lifecycle.notices()[0]?.text ?? '', /Leadway rejected the token/);
    await writeFile(file, testServer.sandbox.token);
    await context.rereadTokens();
    await settled(() => context.lifecycle.notices().length === 0, 'the notice is gone', 5_000);
    assert(testServer.log.lines.some((line) => line.includes('Leadway takes the token again')));
  });
});

describe('the notices of /readyz', () => {
  const notices = async (url: string | null): Promise<string[]> =>
    ((await (await fetch(`${url}/readyz`)).json()) as { notices: string[] }).notices;
  const both = async ({ server }: TestServer) => [await notices(server.url), await notices(server.adminUrl)];

  it('name the location whose token is rejected on the admin port alone', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    testServer.sandbox.setToken('pit-another-token');
    await initiate(testServer);
    const [open = [], admin = []] = await both(testServer);
    const { locationId } = testServer.sandbox;
    assert.match(open.join(), /^Leadway rejected the token/);
    assert(!open.join().includes(locationId));
    assert(admin.join().startsWith(`${locationId}: Leadway rejected the token`));
  });

  it('tell of headers of a proxy that is not trusted, once', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    for (let i = 0; i < 2; i += 1) {
      await call(`${testServer.api}/config`, { method: 'GET', headers: { 'X-Forwarded-For': '192.0.2.1' } });
    }
    const [open, admin = []] = await both(testServer);
    assert.deepEqual(open, ['Headers of a proxy are ignored, since it is not trusted']);
    assert.match(admin.join(), /TRUST_PROXY=127\.0\.0\.1/);
    assert.equal(testServer.log.lines.filter((line) => line.includes('TRUST_PROXY')).length, 1);
  });
});
