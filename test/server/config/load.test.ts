import assert from 'node:assert/strict';
import { formatProblems } from '../../../server/config/config.ts';
import { SETTINGS } from '../../../server/config/settings.ts';
import { accept, assertRejected, load, PRODUCTION, reject, SEALING } from './helpers.ts';

describe('loadConfig', () => {
  it('starts with nothing set, in the sandbox and without a warning', () => {
    const { config, warnings } = accept({});
    assert.deepEqual(warnings, []);
    assert.equal(config.production, false);
    assert.equal(config.sandbox, true);
    assert.deepEqual(config.listen, { host: '127.0.0.1', port: 3000 });
    assert.equal(config.admin, null);
    assert.equal(config.basePath, '/api');
    assert.deepEqual(config.auth, { kind: 'none' });
    assert.equal(config.trustProxy, false);
    assert.deepEqual(config.origins.allowed, []);
    assert.deepEqual(config.forward, {
      maxBytes: 5_242_880,
      holdBytes: 262_144,
      fallbackMaxBytes: 5_242_880,
    });
    assert.deepEqual(config.rateLimit, { max: 60, windowMs: 60_000 });
    assert.deepEqual(config.leadway.locationIds, []);
    assert.equal(config.leadway.baseUrl.origin, 'https://services.leadconnectorhq.com');
    assert(!config.uploads.allowedExtensions.includes('vcf'));
  });

  it('listens on every address by default in production only', () => {
    assert.equal(accept(PRODUCTION).config.listen.host, '0.0.0.0');
    for (const NODE_ENV of ['development', 'test']) {
      assert.equal(accept({ NODE_ENV }).config.listen.host, '127.0.0.1');
      assert.equal(accept({ NODE_ENV, HOST: '0.0.0.0' }).config.listen.host, '0.0.0.0');
    }
  });

  it('counts an empty string as not set', () => {
    const empty = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
    assert.deepEqual(accept({ ...empty, LEADWAY_TOKEN_FILE: '' }).config, accept({}).config);
  });

  it('reads the variables into their places', () => {
    const { config, secrets } = accept({
      ...PRODUCTION,
      HOST: '::',
      PORT: '0',
      BASE_PATH: '/',
      ALLOWED_ORIGINS: 'HTTPS://App.Example.com:443, http://localhost:5173,https://app.example.com',
      TRUST_PROXY: '10.0.0.0/8,loopback',
      DEFAULT_CHANNEL: 'whatsapp',
      ALLOWED_TYPES: 'JPG,vcf,jpg',
      TICKET_SECRETS: `${SEALING},${SEALING}2`,
      LOG_LEVEL: 'silent',
      ATTACHMENT_URL_ORIGINS: 'https://files.example.com',
      REDIS_URL: 'redis://redis',
      PASSTHROUGH: 'GET /contacts/:id',
    });
    assert.equal(config.production, true);
    assert.equal(config.sandbox, false);
    assert.deepEqual(config.listen, { host: '::', port: 0 });
    assert.equal(config.basePath, '');
    assert.deepEqual(config.origins.allowed, ['https://app.example.com', 'http://localhost:5173']);
    assert.deepEqual(config.trustProxy, ['10.0.0.0/8', 'loopback']);
    assert.equal(config.uploads.defaultChannel, 'WHATSAPP');
    assert.deepEqual(config.uploads.allowedExtensions, ['jpg', 'vcf']);
    assert.equal(config.leadway.singleLocationId, 'loc1');
    assert.deepEqual(config.leadway.locationIds, ['loc1']);
    assert.deepEqual(
      secrets.ticketSecrets.map((secret) => secret.reveal()),
      [SEALING, `${SEALING}2`],
    );
    assert.deepEqual(config.attachmentUrlOrigins, ['https://files.example.com']);
    assert.equal(secrets.redisUrl?.reveal(), 'redis://redis');
    assert.deepEqual(config.passthrough, [{ method: 'GET', path: '/contacts/:id' }]);
  });

  it('takes slashes off the end of BASE_PATH', () => {
    assert.equal(accept({ BASE_PATH: '/uploads/api/' }).config.basePath, '/uploads/api');
  });

  it('reports hops as a number', () => {
    assert.equal(accept({ TRUST_PROXY: '2' }).config.trustProxy, 2);
    assert.equal(accept({ TRUST_PROXY: 'off' }).config.trustProxy, false);
  });

  it('freezes the configuration to its leaves', () => {
    const { config, secrets } = accept(PRODUCTION);
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert(frozen(config));
    assert(frozen(secrets));
  });

  it('tells all problems at once, one per line', () => {
    const problems = reject({
      NODE_ENV: 'production',
      PORT: '80a',
      TRUST_PROXY: 'true',
      ALLOWED_ORIGINS: '*',
      MAX_FILES: '0',
      REDIS_URL: 'redis:redis',
      TICKET_SECRETS: 'short',
    });
    const lines = formatProblems(problems).split('\n');
    assert.equal(lines.length, problems.length);
    for (const name of [
      'PORT',
      'TRUST_PROXY',
      'ALLOWED_ORIGINS',
      'MAX_FILES',
      'REDIS_URL',
      'TICKET_SECRETS',
      'AUTH',
      'LEADWAY_TOKEN',
    ]) {
      assert.equal(lines.filter((line) => line.startsWith(`${name}: `)).length, 1, name);
    }
    assert(
      lines.includes(
        'PORT: must be a whole number from 0 to 65535, in plain digits; got "80a"; for example PORT=8080',
      ),
    );
  });

  it('keeps a value with line breaks on one line of the report', () => {
    assert.equal(formatProblems(reject({ PORT: '1\n2\u001b[31m' })).split('\n').length, 1);
  });

  it('rejects an ADMIN_PORT that is the PORT', () => {
    assertRejected({ PORT: '3000', ADMIN_PORT: '3000' }, ['ADMIN_PORT']);
    accept({ PORT: '0', ADMIN_PORT: '0' });
    accept({ LISTEN: '/run/bff.sock', ADMIN_PORT: '3000' });
  });

  it('rejects ADMIN_HOST without ADMIN_PORT', () => {
    assertRejected({ ADMIN_HOST: '127.0.0.1' }, ['ADMIN_HOST']);
    assertRejected({ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: 'off' }, ['ADMIN_HOST']);
    assertRejected({ ADMIN_HOST: '127.0.0.1', ADMIN_PORT: 'x' }, ['ADMIN_PORT']);
  });

  it('is not disturbed by the rest of the environment', () => {
    const { warnings } = accept({
      PATH: '/bin',
      HOME: '/root',
      HOSTNAME: 'x',
      SESSION_MANAGER: 'x',
      SSH_AUTH_SOCK: 'x',
      POST: '1',
      SANDBOX_PORT: '1',
      LEADWAY_BFF_SERVICE_HOST: '10.1.1.1',
      LEADWAY_BFF_PORT_3000_TCP_ADDR: '10.1.1.1',
      LEADWAY_BFF_PORT: 'tcp://10.1.1.1:3000',
    });
    assert.deepEqual(warnings, []);
  });

  it('warns of names that were meant for it', () => {
    const { warnings } = accept({
      LEADWAY_TOKNE: 'x',
      ALLOWED_ORIGIN: 'x',
      RATE_LIMIT_BURST: '9',
      TICKET_SECRET: 'hush-hush',
      LEADWAY_TOKNE2: '',
    });
    assert.equal(warnings.length, 4);
    assert.match(warnings[0] ?? '', /LEADWAY_TOKNE .*did you mean LEADWAY_TOKEN\?/);
    assert.match(warnings[1] ?? '', /did you mean ALLOWED_ORIGINS\?/);
    assert.match(warnings[2] ?? '', /^RATE_LIMIT_BURST is not a setting/);
    assert(!warnings.join().includes('hush-hush'));
  });

  it('never warns of a name that it knows', () => {
    const loaded = load(
      { LEADWAY_TOKEN_FILE: '/t', LEADWAY_LOCATION_ID: 'a', TICKET_SECRETS_FILE: '/s' },
      { '/t': 'tok', '/s': SEALING },
    );
    assert(loaded.ok);
    assert.deepEqual(loaded.warnings, []);
  });
});
