import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { parseCommandLine } from '../../server/command-line.ts';
import { loadConfig } from '../../server/config/config.ts';
import type { SelfTestReport } from '../../server/self-test/report.ts';
import { formatReport } from '../../server/self-test/report.ts';
import { runSelfTest } from '../../server/self-test/self-test.ts';
import { startFakeClamd } from '../helpers/clamd.ts';
import { freePort } from '../helpers/free-port.ts';
import { needsRedis, startRedis } from '../helpers/redis.ts';
import { settingsFor } from '../helpers/sandbox-settings.ts';

describe('the self-test', () => {
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await createSandbox();
  });
  beforeEach(() => sandbox.reset());
  after(() => sandbox.close());

  async function run(
    env: Readonly<Record<string, string>> = {},
    conversationId: string | null = null,
  ): Promise<SelfTestReport> {
    const loaded = loadConfig({ ...settingsFor(sandbox), ...env });
    assert(loaded.ok);
    return runSelfTest(loaded.config, loaded.secrets, { conversationId });
  }

  /** The one failure of a report, as a person reads it. */
  function onlyFailure(report: SelfTestReport): string {
    assert.equal(report.ok, false);
    const failed = report.checks.filter(({ status }) => status === 'failed');
    assert.equal(failed.length, 1, formatReport(report));
    return `${failed[0]?.name}: ${failed[0]?.message}. ${failed[0]?.fix}`;
  }

  it('is green for settings that work, and stores nothing', async () => {
    const report = await run();
    assert.equal(report.ok, true, formatReport(report));
    assert.deepEqual(
      report.checks.filter(({ status }) => status === 'ok').map(({ name }) => name),
      ['settings', 'dns', 'tcp', 'clock', 'quota', 'token', 'initiate', 'descriptors'],
    );
    assert.match(formatReport(report), /^✓ quota: \d+ calls in 10 s and \d+ a day for each location\.$/m);
    assert.deepEqual(
      sandbox.requests.filter(({ status }) => status !== null && status < 300),
      [],
    );
  });

  it('tells with --write what can’t be seen from outside, and the settings that fit', async () => {
    const report = await run({ ALLOWED_ORIGINS: 'https://app.example.com' }, sandbox.conversationId);
    const names = report.checks.map(({ name }) => name);
    for (const name of ['upload', 'chunked', 'attachmentUrls', 'limit', 'storage', 'cors']) {
      assert(names.includes(name), name);
    }
    assert(Number(report.settings['FORWARD_MAX_BYTES']) >= 5_000_000, formatReport(report));
    assert(sandbox.requests.length <= 12 + 1, 'at most twelve calls to Leadway, and a preflight');
  });

  for (const [what, fault, expected] of [
    ['a wrong token', 'bad-token', /^token: .*wrong, expired or revoked/],
    ['a missing scope', 'no-scope', /^token: .*conversations\/message\.write/],
    ['another kind of token', 'auth-class', /^token: .*Private Integration Token/],
    ['a firewall', 'html', /^token: /],
  ] as const) {
    it(`names ${what}`, async () => {
      sandbox.fault = fault;
      assert.match(onlyFailure(await run()), expected);
    });
  }

  it('names a Leadway that can’t be reached, and the setting', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    assert.match(onlyFailure(await run({ LEADWAY_BASE_URL: url })), /^tcp: .*refuses.*LEADWAY_BASE_URL/);
  });

  it('names an unknown host', async () => {
    const env = { LEADWAY_BASE_URL: 'https://leadway.invalid' };
    assert.match(onlyFailure(await run(env)), /^dns: leadway\.invalid.*LEADWAY_BASE_URL/);
  });

  it('names a port without TLS', async () => {
    const env = { LEADWAY_BASE_URL: sandbox.url.replace('http:', 'https:') };
    assert.match(onlyFailure(await run(env)), /^tls: /);
  });

  it('says that files are forwarded where no signed URLs are offered', async () => {
    sandbox.fault = 'no-initiate';
    const report = await run();
    assert.equal(report.ok, true);
    assert.equal(report.checks.find(({ name }) => name === 'initiate')?.status, 'unknown');
  });

  it('names a clamd that is down', async () => {
    const env = { CLAMAV_URL: `tcp://127.0.0.1:${await freePort()}` };
    assert.match(onlyFailure(await run(env)), /^clamd: .*CLAMAV_URL/);
  });

  it('is content with a clamd that responds', async () => {
    await using clamd = await startFakeClamd({ response: null });
    assert.equal((await run({ CLAMAV_URL: clamd.url })).ok, true);
  });

  it('names a low limit of file descriptors', async () => {
    const report = await run({ MAX_CONCURRENT_UPLOADS: '100000' });
    assert.match(onlyFailure(report), /^descriptors: .*ulimit/);
  });

  describe('with Redis', function () {
    needsRedis(this);

    it('shows its version, and names one that is down', async () => {
      const redis = await startRedis();
      try {
        const report = await run({ REDIS_URL: redis.url });
        assert.match(formatReport(report), /^✓ redis: version \d+\.\d+/m);
        await redis.kill();
        assert.match(onlyFailure(await run({ REDIS_URL: redis.url })), /^redis: .*REDIS_URL/);
      } finally {
        await redis[Symbol.asyncDispose]();
      }
    });
  });

  for (const args of [
    ['--json'],
    ['--self-test', '--write'],
    ['--self-test', '--conversation', 'abc'],
    ['--self-test', '--write', '--conversation', '../x'],
  ]) {
    it(`rejects the arguments ${args.join(' ')}`, () => {
      assert('problem' in parseCommandLine(args));
    });
  }

  describe('on the command line', () => {
    async function leadwayBff(args: readonly string[], env: Readonly<Record<string, string>>) {
      const main = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
        env: { PATH: process.env['PATH'], NODE_ENV: 'production', AUTH: 'none', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ]);
      return { stdout, stderr, code: code as number };
    }

    it('exits 0 and prints no secret', async () => {
      const { stdout, code } = await leadwayBff(['--self-test', '--json'], settingsFor(sandbox));
      assert.equal(code, 0, stdout);
      assert.equal((JSON.parse(stdout) as SelfTestReport).ok, true);
      assert(!stdout.includes(sandbox.token));
    });

    it('exits 1 when a check fails', async () => {
      const env = { ...settingsFor(sandbox), LEADWAY_TOKEN: 'pit-fake-wrong-token' };
      const { stdout, code } = await leadwayBff(['--self-test'], env);
      assert.equal(code, 1);
      assert.match(stdout, /^✗ token: /m);
      assert(!stdout.includes('pit-fake-wrong-token'));
    });
  });
});
