import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { formatProblems, loadConfig } from '../../server/config/config.ts';
import { formatReport, type SelfTestReport } from '../../server/self-test/report.ts';
import { runSelfTest, type SelfTestOptions } from '../../server/self-test/self-test.ts';
import { type Authority, createAuthority } from '../helpers/certificates.ts';
import { createFakeLeadway, type FakeLeadway, type FakeResponse } from '../helpers/fake-leadway.ts';
import { createForwardProxy } from '../helpers/forward-proxy.ts';
import { freePort } from '../helpers/free-port.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { needsRedis, startRedis } from '../helpers/redis.ts';
import { settingsFor, type Upstream } from '../helpers/sandbox-settings.ts';
import { createTempFile } from '../helpers/temp-file.ts';
import { startProgram } from './program.ts';

const CONVERSATION = 'exampleConversation1';
/** The check of the token is the only call whose form is so small. */
const SMALLEST_UPLOAD_BYTES = 300;

type Env = Readonly<Record<string, string>>;

function upstream(url: string): Upstream {
  return { url, storageOrigin: url, token: 'pit-fake-token', locationId: 'exampleLocation00001' };
}

async function run(
  to: Upstream,
  env: Env = {},
  options: Partial<SelfTestOptions> = {},
): Promise<SelfTestReport> {
  const loaded = loadConfig({ ...settingsFor(to), ...env });
  assert(loaded.ok, loaded.ok ? '' : formatProblems(loaded.problems));
  return runSelfTest(loaded.config, loaded.secrets, { conversationId: null, ...options });
}

/** The lines of a report that begin with one of the checks' names, without the sign of success. */
function linesOf(report: SelfTestReport, ...names: string[]): string[] {
  return formatReport(report)
    .split('\n')
    .filter((line) => names.some((name) => line.slice(2).startsWith(`${name}:`)));
}

/** What a call to the fake Leadway is for. */
type Call =
  | 'token'
  | 'initiate'
  | 'preflight'
  | 'plain'
  | 'chunked'
  | 'attachmentUrls'
  | 'binary'
  | 'decimal';

function callOf(path: string, length: string | undefined, uploads: number): Call {
  if (path.endsWith('/initiate')) return 'initiate';
  if (path.startsWith('/bucket')) return 'preflight';
  if (length === undefined) return 'chunked';
  if (Number(length) < SMALLEST_UPLOAD_BYTES) return 'token';
  if (Number(length) > 5 * 1024 * 1024) return 'binary';
  if (Number(length) > 5_000_000) return 'decimal';
  return uploads === 0 ? 'plain' : 'attachmentUrls';
}

/** A Leadway where all is well, except for what a test says of a call. */
async function leadwayWith(responses: Partial<Readonly<Record<Call, FakeResponse>>>): Promise<FakeLeadway> {
  let uploads = 0;
  const leadway: FakeLeadway = await createFakeLeadway((path, { headers }) => {
    const call = callOf(path, headers['content-length'], uploads);
    if (call === 'plain') uploads += 1;
    const cors = {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'PUT',
      'Access-Control-Allow-Headers': 'Content-Type',
    };
    const ordinary: Readonly<Record<Call, FakeResponse>> = {
      token: { status: 400, json: { message: 'No files to upload' } },
      initiate: { status: 200, json: { uploadUrl: `${leadway.url}/bucket/file?X-Goog-Signature=abc` } },
      preflight: { status: 200, body: '', headers: cors },
      plain: { status: 200, json: {} },
      chunked: { status: 200, json: {} },
      attachmentUrls: { status: 200, json: {} },
      binary: { status: 200, json: {} },
      decimal: { status: 200, json: {} },
    };
    return responses[call] ?? ordinary[call];
  });
  return leadway;
}

const error = (status: number, message = 'rejected'): FakeResponse => ({
  status,
  json: { statusCode: status, message },
});
const page: FakeResponse = { status: 403, body: '<html>', headers: { 'Content-Type': 'text/html' } };

describe('the self-test when a check fails', () => {
  describe('the response to the check of the token', () => {
    for (const [what, response, expected] of [
      [
        'has no access',
        error(403),
        /^✗ token: .*no access.*\(location exampleLocation00001\)\. Check LEADWAY_LOCATION_ID/,
      ],
      ['is a firewall’s page', page, /^✗ token: a firewall or CDN responded with a page \(status 403\)/],
      [
        'is a web page',
        { ...page, status: 200 },
        /^✗ token: what responds there is not Leadway’s API\. Check LEADWAY_BASE_URL/,
      ],
      [
        'says that nothing is there',
        error(404),
        /^✗ token: Leadway responded with status 404\. Check LEADWAY_BASE_URL/,
      ],
      [
        'is a redirect',
        { status: 302, body: '', headers: { Location: 'https://elsewhere.example' } },
        /^✗ token: .*status 302\./,
      ],
      ['is Leadway’s own failure', error(503), /^✗ token: Leadway responded with status 503/],
      ['says that the limit is reached', error(429), /^– token: Leadway accepts no more requests for now/],
    ] as const) {
      it(`${what}: says so, and calls Leadway no more`, async () => {
        await using leadway = await leadwayWith({ token: response });
        const report = await run(upstream(leadway.url));
        const [line = ''] = linesOf(report, 'token');
        assert.match(line, expected);
        assert.equal(report.ok, line.startsWith('–'));
        assert.equal(leadway.calls.length, 1);
      });
    }

    it('has another time: names the clock', async () => {
      const date = new Date(Date.now() + 600_000).toUTCString();
      await using leadway = await leadwayWith({ token: { ...error(400), headers: { Date: date } } });
      const report = await run(upstream(leadway.url));
      assert.match(
        linesOf(report, 'clock').join(),
        /^✗ clock: .* (?:599|600) s behind Leadway’s\. Set it by NTP/,
      );
    });

    it('has neither time nor limits: says that they are not known', async () => {
      await using leadway = await leadwayWith({ token: { ...error(400), headers: { Date: 'today' } } });
      const report = await run(upstream(leadway.url));
      assert.equal(report.ok, true);
      assert.deepEqual(
        linesOf(report, 'clock', 'quota').map((line) => line.slice(0, 1)),
        ['–', '–'],
      );
    });

    it('does not come: says so, in time', async () => {
      await using sandbox = await createSandbox();
      sandbox.fault = 'never-answers';
      const late = await run(sandbox, {}, { callTimeoutMs: 100 });
      assert.match(linesOf(late, 'tcp').join(), /^✗ tcp: .* takes connections and does not respond\. /);
      const over = await run(sandbox, {}, { timeoutMs: 100 });
      assert.deepEqual(linesOf(over, 'leadway', 'redis'), [
        '✗ leadway: no response came in time. Try again later.',
        '✗ redis: no response came in time. Try again later.',
      ]);
    });

    it('is cut off: says so', async () => {
      await using sandbox = await createSandbox();
      sandbox.fault = 'reset-mid-upload';
      const report = await run(sandbox);
      assert.match(linesOf(report, 'tcp').join(), /^✗ tcp: .* closes them without a response\. /);
    });
  });

  it('checks the tokens of three locations, and says how many more there are', async () => {
    await using sandbox = await createSandbox({
      tokens: Object.fromEntries(['one', 'two', 'three', 'four'].map((id) => [id, `pit-fake-${id}`])),
    });
    const tokens = {
      one: 'pit-fake-one',
      two: 'pit-fake-wrong',
      three: 'pit-fake-three',
      four: 'pit-fake-four',
    };
    await using file = await createTempFile(JSON.stringify(tokens));
    const report = await run(sandbox, {
      LEADWAY_TOKEN: '',
      LEADWAY_LOCATION_ID: '',
      LEADWAY_TOKENS_FILE: file.path,
    });
    assert.deepEqual(
      linesOf(report, 'token').map((line) => line.slice(0, 60)),
      [
        '✓ token: Leadway accepts the token of location one.',
        '✗ token: Leadway rejected the token: it is wrong, expired or',
        '✓ token: Leadway accepts the token of location three.',
        '– token: 1 more locations were not checked.',
      ],
    );
    assert.match(formatReport(report), /\(location two\)/);
  });

  describe('initiate', () => {
    for (const [what, response, expected] of [
      [
        'Leadway’s own failure',
        error(500),
        /^✗ initiate: Leadway responded with status 500\. Try again later/,
      ],
      ['the limit', error(429), /^– initiate: Leadway accepts no more requests for now/],
    ] as const) {
      it(`names ${what}`, async () => {
        await using leadway = await leadwayWith({ initiate: response });
        assert.match(linesOf(await run(upstream(leadway.url)), 'initiate').join(), expected);
      });
    }

    for (const response of [
      error(500, 'Conversation with id x not found'),
      error(404, 'Conversation not found'),
      error(422),
    ]) {
      it(`names a conversation that Leadway rejects with ${response.status}`, async () => {
        await using leadway = await leadwayWith({ initiate: response });
        const report = await run(upstream(leadway.url), {}, { conversationId: CONVERSATION });
        assert.match(linesOf(report, 'initiate').join(), /^✗ initiate: .*Check that the conversation exists/);
      });
    }

    it('names a response without a signed URL', async () => {
      await using leadway = await leadwayWith({ initiate: { status: 200, json: {} } });
      assert.match(
        linesOf(await run(upstream(leadway.url)), 'storage').join(),
        /^✗ storage: .*no signed URL/,
      );
    });
  });

  describe('storage', () => {
    const write = (sandbox: Sandbox, env: Env) =>
      run(sandbox, env, { conversationId: sandbox.conversationId });

    it('is not asked when STORAGE_ORIGINS does not allow it', async () => {
      await using sandbox = await createSandbox({});
      const report = await write(sandbox, { STORAGE_ORIGINS: 'https://storage.example.com' });
      assert.match(
        linesOf(report, 'storage').join(),
        new RegExp(`^✗ storage: .* set STORAGE_ORIGINS=${sandbox.storageOrigin}\\.$`),
      );
      assert.deepEqual(linesOf(report, 'cors'), []);
    });

    it('is named when it can’t be reached', async () => {
      const origin = `http://127.0.0.1:${await freePort()}`;
      await using leadway = await leadwayWith({
        initiate: { status: 200, json: { uploadUrl: `${origin}/bucket/file` } },
      });
      const report = await run(upstream(leadway.url), { STORAGE_ORIGINS: origin });
      assert.match(
        linesOf(report, 'storage').join(),
        /^✗ storage: 127.* can’t be reached: it refuses the connection\./,
      );
    });

    it('is named when it takes uploads of some origins only, and of those by PUT only', async () => {
      await using sandbox = await createSandbox({ corsOrigins: ['https://one.example.com'] });
      const report = await write(sandbox, {
        ALLOWED_ORIGINS: ['one', 'two', 'three', 'four'].map((name) => `https://${name}.example.com`).join(),
      });
      assert.deepEqual(linesOf(report, 'cors'), [
        '✓ cors: storage takes uploads from pages of https://one.example.com.',
        '✗ cors: storage takes no uploads from pages of https://two.example.com. Use mode=relay there.',
        '✗ cors: storage takes no uploads from pages of https://three.example.com. Use mode=relay there.',
        '– cors: 1 more origins were not checked.',
      ]);
      await using readOnly = await leadwayWith({
        preflight: {
          status: 200,
          body: '',
          headers: { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': 'GET' },
        },
      });
      const denied = await run(upstream(readOnly.url), { ALLOWED_ORIGINS: 'https://one.example.com' });
      assert.match(linesOf(denied, 'cors').join(), /^✗ cors: /);
    });

    it('is asked through the proxy of all outbound calls', async () => {
      await using leadway = await leadwayWith({
        initiate: { status: 200, json: { uploadUrl: 'http://storage.test/bucket/file' } },
      });
      await using proxy = await createForwardProxy({
        hosts: { 'storage.test:80': Number(new URL(leadway.url).port) },
      });
      const report = await run(upstream(leadway.url), {
        STORAGE_ORIGINS: 'http://storage.test',
        HTTP_PROXY: proxy.url,
        ALLOWED_ORIGINS: 'https://one.example.com',
      });
      assert.match(linesOf(report, 'cors').join(), /^✓ cors: /);
      assert.deepEqual(proxy.seen, ['OPTIONS http://storage.test/bucket/file']);
    });
  });

  describe('with --write', () => {
    const write = async (responses: Partial<Readonly<Record<Call, FakeResponse>>>) => {
      await using leadway = await leadwayWith(responses);
      const to = upstream(leadway.url);
      const report = await run(to, {}, { conversationId: CONVERSATION });
      const pasted = loadConfig({ ...settingsFor(to), ...report.settings });
      assert(pasted.ok, 'the settings it prints are valid together');
      assert(leadway.calls.filter((call) => call.startsWith('POST')).length <= 12);
      return report;
    };

    it('names a file that Leadway rejects', async () => {
      const report = await write({ plain: error(404, 'Contact not found') });
      assert.match(
        linesOf(report, 'upload').join(),
        /^✗ upload: .*status 404: Contact not found.*Check that the conversation/,
      );
      assert.deepEqual(report.settings, {});
    });

    it('finds that Leadway wants the length, that 5 MB are decimal, and the settings for both', async () => {
      const report = await write({
        chunked: error(411, 'Length Required'),
        binary: error(413, 'too large'),
        attachmentUrls: error(422, 'attachmentUrls must be URLs'),
      });
      assert.deepEqual(report.settings, { FORWARD_MAX_BYTES: '5000000', FORWARD_HOLD_BYTES: '5000000' });
      assert.match(linesOf(report, 'chunked').join(), /^– chunked: .*send the field fileSize/);
      assert.match(linesOf(report, 'attachmentUrls').join(), /rejects an empty one/);
    });

    it('takes a failure of Leadway’s for no statement', async () => {
      const report = await write({ chunked: error(503), attachmentUrls: error(429), binary: error(502) });
      assert.deepEqual(report.settings, {});
      for (const name of ['chunked', 'attachmentUrls', 'limit']) {
        assert.match(linesOf(report, name).join(), /^– .*could not be tried \(status/, name);
      }
    });

    it('says when Leadway takes neither of the two sizes', async () => {
      const report = await write({ binary: error(413), decimal: error(413) });
      assert.match(linesOf(report, 'limit').join(), /^– limit: Leadway rejects a file of 5000000 bytes/);
    });
  });

  describe('TLS', () => {
    let authority: Authority;
    before(function () {
      needsPrograms(this, 'openssl');
      authority = createAuthority();
    });
    after(() => authority?.[Symbol.dispose]());

    const selfTest = async (days: number, env: Env = {}) => {
      await using leadway = await createFakeLeadway(() => error(400), authority.issue('localhost', days));
      await using program = startProgram({
        args: ['--self-test'],
        env: { ...settingsFor(upstream(leadway.url)), ...env },
      });
      const { code } = await program.ended;
      return { code, line: /^. tls: .*$/m.exec(program.stdout)?.[0] ?? program.stdout };
    };
    const trusted = (): Env => ({ NODE_EXTRA_CA_CERTS: authority.file });

    for (const [what, days, code, expected] of [
      ['valid for long', 30, 0, /^✓ tls: the certificate of localhost is valid for (?:29|30) days\.$/],
      [
        'valid for some days',
        3,
        1,
        /^✗ tls: the certificate of localhost ends in [23] days\. Have it renewed\.$/,
      ],
      ['expired', -1, 1, /^✗ tls: .*its certificate has expired\. Have it renewed/],
    ] as const) {
      it(`sees a certificate that is ${what}`, async () => {
        const found = await selfTest(days, trusted());
        assert.match(found.line, expected);
        assert.equal(found.code, code);
      });
    }

    it('names a certificate of an unknown authority', async () => {
      const { code, line } = await selfTest(30);
      assert.match(line, /^✗ tls: .*authority that this machine does not know\. Set NODE_EXTRA_CA_CERTS/);
      assert.equal(code, 1);
    });

    it('names a proxy that does not let it through', async () => {
      await using proxy = await createForwardProxy({ hosts: {} });
      const report = await run(upstream('https://leadway.test'), { HTTPS_PROXY: proxy.url });
      assert.match(linesOf(report, 'dns').join(), /^– dns: the proxy .* looks up leadway\.test/);
      assert.match(
        linesOf(report, 'tcp').join(),
        /^✗ tcp: .* the proxy .* does not let it through .*NO_PROXY/,
      );
    });
  });

  describe('Redis', function () {
    needsRedis(this);

    it('is fine where its user may not ask for the version', async () => {
      await using sandbox = await createSandbox();
      await using redis = await startRedis();
      await redis.command('ACL', 'SETUSER', 'bff', 'on', '>fake-password', '~*', '+@all', '-info');
      const url = redis.url.replace('redis://', 'redis://bff:fake-password@');
      const report = await run(sandbox, { REDIS_URL: url });
      assert.match(linesOf(report, 'redis').join(), /^✓ redis: it responds within \d+ ms\.$/);
      assert(!JSON.stringify(report).includes('fake-password'));
    });

    it('is named where it takes no writes', async () => {
      await using sandbox = await createSandbox();
      await using redis = await startRedis('--maxmemory', '1', '--maxmemory-policy', 'noeviction');
      const report = await run(sandbox, { REDIS_URL: redis.url });
      assert.match(linesOf(report, 'redis').join(), /^✗ redis: .*takes no writes/);
    });
  });

  it('exits 78 for wrong settings, all of them named', async () => {
    await using program = startProgram({ args: ['--self-test'], env: { PORT: 'eighty', MAX_FILES: '0' } });
    assert.equal((await program.ended).code, 78);
    assert.match(program.stderr, /^PORT: .*\nMAX_FILES: /);
  });

  it('says whether forwarded headers are believed', async () => {
    await using sandbox = await createSandbox();
    const trusting = await run(sandbox, { TRUST_PROXY: 'loopback' });
    assert.match(linesOf(trusting, 'proxy').join(), /^✓ proxy: /);
    const production = await run(sandbox, { NODE_ENV: 'production', AUTH: 'none' });
    assert.match(
      linesOf(production, 'proxy').join(),
      /^– proxy: TRUST_PROXY is off: .*all clients count as one/,
    );
  });
});
