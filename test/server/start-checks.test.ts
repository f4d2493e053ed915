import assert from 'node:assert/strict';
import { Lifecycle } from '../../server/lifecycle.ts';
import { createLogger } from '../../server/logger.ts';
import { addStartChecks, createClockCheck } from '../../server/start-checks.ts';
import { call, initiate } from '../helpers/direct-steps.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { accept } from './config/helpers.ts';

const TOKEN = { LEADWAY_TOKEN: 'pit-not-a-real-token', LEADWAY_LOCATION_ID: 'location1' };

function check(env: Readonly<Record<string, string>>, descriptorLimit: number | null = null) {
  const { config, secrets } = accept({ ...TOKEN, ...env });
  const lifecycle = new Lifecycle();
  const log = new LogSink();
  const logger = createLogger({ level: 'trace', destination: log });
  addStartChecks({ config, secrets, lifecycle, logger, descriptorLimit });
  return { public: lifecycle.notices(), operator: lifecycle.detailedNotices(), log: log.lines };
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
