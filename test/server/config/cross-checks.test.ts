import assert from 'node:assert/strict';
import { accept, assertRejected, PRODUCTION, SEALING, TOKEN } from './helpers.ts';

const ONE = { LEADWAY_TOKEN: TOKEN, LEADWAY_LOCATION_ID: 'loc1' };
const TOKENS = { '/tokens.json': '{"loc1":"tok-1","loc2":"tok-2"}' };

describe('the sandbox setting', () => {
  it('is off by itself once a token is set', () => {
    assert.equal(accept(ONE).config.sandbox, false);
    assert.equal(accept({ LEADWAY_TOKENS_FILE: '/tokens.json' }, TOKENS).config.sandbox, false);
  });

  it('rejects to be off without a token', () => {
    assertRejected({ SANDBOX: 'off' }, ['LEADWAY_TOKEN']);
  });

  it('rejects to be on beside a token', () => {
    assertRejected({ ...ONE, SANDBOX: 'on' }, ['SANDBOX']);
    assertRejected({ SANDBOX: 'on', LEADWAY_TOKENS_FILE: '/tokens.json' }, ['SANDBOX'], TOKENS);
  });

  it('is never on by itself in production', () => {
    assertRejected({ NODE_ENV: 'production', AUTH: 'none' }, ['LEADWAY_TOKEN']);
    assertRejected({ NODE_ENV: 'production' }, ['LEADWAY_TOKEN', 'AUTH']);
  });

  it('may be on in production by name, with a warning', () => {
    const { config, warnings } = accept({ NODE_ENV: 'production', AUTH: 'none', SANDBOX: 'on' });
    assert.equal(config.sandbox, true);
    assert(warnings.some((warning) => warning.startsWith('SANDBOX=on in production')));
  });

  it('says nothing of tokens when it is malformed', () => {
    assertRejected({ NODE_ENV: 'production', AUTH: 'none', SANDBOX: 'yes' }, ['SANDBOX']);
  });

  it('warns that LEADWAY_BASE_URL has no effect', () => {
    const { warnings } = accept({ LEADWAY_BASE_URL: 'http://127.0.0.1:4000' });
    assert.match(warnings.join(), /LEADWAY_BASE_URL has no effect/);
  });

  it('keeps a location that is named', () => {
    assert.equal(accept({ LEADWAY_LOCATION_ID: 'mine' }).config.leadway.singleLocationId, 'mine');
  });
});

describe('LISTEN', () => {
  const LISTEN = '/run/leadway-bff/bff.sock';

  it('takes the place of HOST and PORT, which are then warned about', () => {
    const { config, warnings } = accept({ LISTEN });
    assert.equal(config.listen.path, LISTEN);
    assert.deepEqual(warnings, []);
    assert.deepEqual(accept({ LISTEN, HOST: '::', PORT: '80' }).warnings, [
      'HOST and PORT not used: LISTEN is set',
    ]);
    assert.deepEqual(accept({ LISTEN, PORT: '80' }).warnings, ['PORT not used: LISTEN is set']);
  });
});

describe('tokens and locations', () => {
  it('rejects a token without its location', () => {
    const [problem] = assertRejected({ LEADWAY_TOKEN: TOKEN }, ['LEADWAY_LOCATION_ID']);
    assert.match(problem?.example ?? '', /^LEADWAY_LOCATION_ID=/);
  });

  it('rejects one token beside a file of several', () => {
    assertRejected(
      { LEADWAY_TOKEN: TOKEN, LEADWAY_TOKENS_FILE: '/tokens.json' },
      ['LEADWAY_TOKENS_FILE'],
      TOKENS,
    );
  });

  it('rejects one location beside a file of several', () => {
    const env = { LEADWAY_LOCATION_ID: 'loc1', LEADWAY_TOKENS_FILE: '/tokens.json' };
    assertRejected(env, ['LEADWAY_LOCATION_ID'], TOKENS);
  });

  it('reads several locations, none of them the single one', () => {
    const { config, secrets } = accept({ LEADWAY_TOKENS_FILE: '/tokens.json' }, TOKENS);
    assert.equal(config.leadway.singleLocationId, null);
    assert.deepEqual(config.leadway.locationIds, ['loc1', 'loc2']);
    assert.equal(secrets.locationTokens?.file, '/tokens.json');
    assert.equal(secrets.locationTokens?.tokens.get('loc2')?.reveal(), 'tok-2');
    assert.equal(secrets.leadwayToken, null);
  });

  it('takes the only location of a file as the single one', () => {
    const { config } = accept({ LEADWAY_TOKENS_FILE: '/t' }, { '/t': '{"only":"tok"}' });
    assert.equal(config.leadway.singleLocationId, 'only');
  });

  it('demands https of Leadway in production, except on this machine', () => {
    assertRejected({ ...PRODUCTION, LEADWAY_BASE_URL: 'http://leadway.example' }, ['LEADWAY_BASE_URL']);
    assertRejected({ ...PRODUCTION, LEADWAY_BASE_URL: 'http://127.0.0.1.evil.example' }, [
      'LEADWAY_BASE_URL',
    ]);
    for (const host of ['127.0.0.1:4000', 'localhost:4000', '[::1]:4000']) {
      accept({ ...PRODUCTION, LEADWAY_BASE_URL: `http://${host}` });
    }
  });

  it('warns of plain http to Leadway in development', () => {
    assert.match(
      accept({ ...ONE, LEADWAY_BASE_URL: 'http://leadway.example' }).warnings.join(),
      /plain http/,
    );
  });
});

describe('who may call', () => {
  it('allows AUTH=none in production by name, with a warning', () => {
    assert.match(accept(PRODUCTION).warnings.join(), /AUTH=none in production/);
  });

  it('takes each of the other kinds, completely set up', () => {
    const jwt = { AUTH: 'jwt', AUTH_JWT_ISSUER: 'https://login.example.com/', AUTH_JWT_AUDIENCE: 'bff' };
    assert.deepEqual(accept({ ...PRODUCTION, ...jwt }).config.auth, {
      kind: 'jwt',
      issuer: 'https://login.example.com/',
      audience: 'bff',
      jwksUrl: null,
      cookie: null,
      locationsClaim: 'locations',
    });
    const header = { AUTH: 'header', TRUST_PROXY: 'loopback' };
    assert.deepEqual(accept({ ...PRODUCTION, ...header }).config.auth, {
      kind: 'header',
      userHeader: 'X-Forwarded-User',
      locationsHeader: null,
    });
    const sso = { AUTH: 'sso', SSO_SHARED_SECRET: 'shared', SESSION_SECRETS: SEALING };
    const { config, secrets, warnings } = accept({ ...PRODUCTION, ...sso });
    assert.deepEqual(config.auth, { kind: 'sso', sessionTtlMs: 900_000 });
    assert.equal(secrets.ssoSharedSecret?.reveal(), 'shared');
    assert.deepEqual(warnings, []);
  });

  it('knows the user headers of oauth2-proxy and Authelia by name', () => {
    const names = { 'oauth2-proxy': 'X-Auth-Request-User', authelia: 'Remote-User', 'X-User': 'X-User' };
    for (const [name, userHeader] of Object.entries(names)) {
      const { auth } = accept({ AUTH: 'header', TRUST_PROXY: 'loopback', AUTH_USER_HEADER: name }).config;
      assert(auth.kind === 'header');
      assert.equal(auth.userHeader, userHeader);
    }
  });

  it('warns that a number of hops lets any peer be the authenticating proxy', () => {
    const { warnings } = accept({ AUTH: 'header', TRUST_PROXY: '1' });
    assert.match(warnings.join(), /AUTH=header with TRUST_PROXY=1: .* addresses of the proxy/);
    assert.deepEqual(accept({ AUTH: 'header', TRUST_PROXY: '10.0.0.0/8' }).warnings, []);
  });

  it('names what a kind lacks', () => {
    assertRejected({ AUTH: 'jwt' }, ['AUTH_JWT_ISSUER', 'AUTH_JWT_AUDIENCE']);
    assertRejected({ AUTH: 'header' }, ['TRUST_PROXY']);
    assertRejected({ AUTH: 'header', TRUST_PROXY: 'off' }, ['TRUST_PROXY']);
    assertRejected({ AUTH: 'sso' }, ['SSO_SHARED_SECRET', 'SESSION_SECRETS']);
  });

  it('does not call a secret missing whose file is malformed', () => {
    const sso = { AUTH: 'sso', SSO_SHARED_SECRET: 'shared', SESSION_SECRETS_FILE: '/s' };
    assertRejected(sso, ['SESSION_SECRETS_FILE'], { '/s': 'short' });
  });

  it('demands https of the issuer and its keys in production', () => {
    const jwt = { AUTH: 'jwt', AUTH_JWT_ISSUER: 'http://login.example', AUTH_JWT_AUDIENCE: 'a' };
    assertRejected({ ...PRODUCTION, ...jwt }, ['AUTH_JWT_ISSUER']);
    const keys = {
      ...jwt,
      AUTH_JWT_ISSUER: 'https://login.example',
      AUTH_JWT_JWKS_URL: 'http://login.example',
    };
    assertRejected({ ...PRODUCTION, ...keys }, ['AUTH_JWT_JWKS_URL']);
  });

  it('rejects variables of a kind that is not chosen', () => {
    const [problem] = assertRejected({ AUTH_JWT_ISSUER: 'https://login.example.com' }, ['AUTH_JWT_ISSUER']);
    assert.match(problem?.problem ?? '', /AUTH=jwt/);
    assertRejected({ AUTH: 'none', SESSION_TTL_MS: '60000' }, ['SESSION_TTL_MS']);
    assertRejected({ SESSION_SECRETS_FILE: '/s' }, ['SESSION_SECRETS_FILE'], { '/s': SEALING });
  });

  it('does not guess the kind when AUTH is malformed', () => {
    assertRejected({ AUTH: 'jwtt', AUTH_JWT_COOKIE: 'session' }, ['AUTH']);
  });
});

describe('limits', () => {
  it('lets FORWARD_MAX_BYTES alone be lowered or raised', () => {
    assert.equal(accept({ FORWARD_MAX_BYTES: '1000' }).config.forward.holdBytes, 1000);
    assert.equal(accept({ FORWARD_MAX_BYTES: '99999999' }).config.forward.fallbackMaxBytes, 99_999_999);
  });

  it('rejects sizes that contradict each other', () => {
    assertRejected({ FORWARD_MAX_BYTES: '1000', FORWARD_HOLD_BYTES: '1001' }, ['FORWARD_HOLD_BYTES']);
    assertRejected({ FORWARD_MAX_BYTES: '1000', FORWARD_FALLBACK_MAX_BYTES: '999' }, [
      'FORWARD_FALLBACK_MAX_BYTES',
    ]);
    accept({ FORWARD_MAX_BYTES: '1000', FORWARD_HOLD_BYTES: '1000', FORWARD_FALLBACK_MAX_BYTES: '1000' });
  });

  it('does not compare with a default that stands in for a malformed value', () => {
    assertRejected({ FORWARD_MAX_BYTES: '10MB', FORWARD_HOLD_BYTES: '9000000' }, ['FORWARD_MAX_BYTES']);
    assertRejected({ FORWARD_MAX_BYTES: '99999999', FORWARD_FALLBACK_MAX_BYTES: 'x' }, [
      'FORWARD_FALLBACK_MAX_BYTES',
    ]);
  });

  it('bends the share of one client to the whole, with a warning when it was set', () => {
    const bent = accept({ MAX_CONCURRENT_UPLOADS: '2' });
    assert.equal(bent.config.uploads.maxConcurrentPerClient, 2);
    assert.deepEqual(bent.warnings, []);
    const set = accept({ MAX_CONCURRENT_UPLOADS: '2', MAX_CONCURRENT_UPLOADS_PER_CALLER: '5' });
    assert.equal(set.warnings.length, 1);
  });

  it('asks about times that look like seconds, and about open storage, in production', () => {
    const warnings = accept({
      ...PRODUCTION,
      UPSTREAM_TIMEOUT_MS: '60',
      STORAGE_ORIGINS: 'http://minio.example',
    }).warnings.join();
    assert.match(warnings, /UPSTREAM_TIMEOUT_MS is 60 milliseconds/);
    assert.match(warnings, /STORAGE_ORIGINS holds plain http/);
    assert.deepEqual(accept({ UPSTREAM_TIMEOUT_MS: '60' }).warnings, []);
  });
});
