import assert from 'node:assert/strict';
import type { AuthConfig } from '../../../server/config/auth.ts';
import { describeConfig } from '../../../server/config/describe.ts';
import { VARIABLES } from '../../../server/config/env.ts';
import { accept, PRODUCTION, SEALING } from './helpers.ts';

function lines(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  const { config, secrets } = accept(env, files);
  return describeConfig(config, secrets).split('\n');
}

describe('describeConfig', () => {
  it('writes one NAME=value per line, of known names only', () => {
    for (const line of lines({})) {
      const [name = '', ...value] = line.split('=');
      assert(name in VARIABLES, line);
      assert.notEqual(value.join('='), '', line);
    }
  });

  it('shows LISTEN in the place of HOST and PORT', () => {
    const { config, secrets } = accept({ LISTEN: '/run/bff.sock' });
    const lines = describeConfig(config, secrets).split('\n');
    assert(lines.includes('LISTEN=/run/bff.sock'));
    assert(!lines.some((line) => /^(HOST|PORT)=/.test(line)));
  });

  it('leaves out only what belongs to another kind of AUTH, and ADMIN_HOST without a port', () => {
    const named = new Set(lines({}).map((line) => line.split('=')[0]));
    const missing = Object.keys(VARIABLES).filter((name) => !named.has(name));
    assert.equal(named.size, lines({}).length);
    for (const name of missing) assert.match(name, /^(AUTH_|SSO_|SESSION_|ADMIN_HOST$)/);
  });

  it('shows what was resolved rather than what was written', () => {
    const shown = lines({
      ...PRODUCTION,
      BASE_PATH: '/',
      FORWARD_MAX_BYTES: '1000',
      ALLOWED_ORIGINS: 'HTTPS://A.example',
      TRUST_PROXY: 'loopback,10.0.0.0/8',
      DEFAULT_CHANNEL: 'email',
    });
    for (const line of [
      'SANDBOX=off',
      'BASE_PATH=/',
      'FORWARD_HOLD_BYTES=1000',
      'ALLOWED_ORIGINS=https://a.example',
      'TRUST_PROXY=loopback,10.0.0.0/8',
      'DEFAULT_CHANNEL=EMAIL',
      'LEADWAY_LOCATION_ID=loc1',
    ]) {
      assert(shown.includes(line), line);
    }
  });

  it('says of secrets whether they are set, and from where', () => {
    const shown = lines(
      { LEADWAY_TOKEN_FILE: '/t', LEADWAY_LOCATION_ID: 'a', TICKET_SECRETS: SEALING },
      { '/t': 'tok' },
    );
    for (const line of ['LEADWAY_TOKEN=from file /t', 'TICKET_SECRETS=set', 'REDIS_URL=not set'])
      assert(shown.includes(line), line);
  });

  it('names the locations of a tokens file', () => {
    const shown = lines({ LEADWAY_TOKENS_FILE: '/t' }, { '/t': '{"a":"x","b":"y"}' });
    assert(shown.includes('LEADWAY_TOKENS_FILE=from file /t (locations: a, b)'));
  });

  it('shows the variables of the kind of AUTH that is chosen', () => {
    const { config, secrets } = accept({});
    const kinds: readonly AuthConfig[] = [
      {
        kind: 'jwt',
        issuer: 'https://login.example.com/',
        audience: 'bff',
        jwksUrl: null,
        cookie: null,
        locationsClaim: 'locations',
      },
      { kind: 'header', userHeader: 'X-User', locationsHeader: null },
      { kind: 'sso', sessionTtlMs: 60_000 },
    ];
    const shown = kinds.map((auth) => describeConfig({ ...config, auth }, secrets));
    assert.match(shown[0] ?? '', /^AUTH=jwt\nAUTH_JWT_ISSUER=https:\/\/login.example.com\/\n/m);
    assert.match(shown[1] ?? '', /^AUTH_USER_HEADER=X-User\nAUTH_LOCATIONS_HEADER=not set$/m);
    assert.match(shown[2] ?? '', /^SESSION_SECRETS=not set\nSESSION_TTL_MS=60000$/m);
  });
});

describe('the proxy that describeConfig shows', () => {
  it('has scheme, host and port, and neither user nor password', () => {
    const shown = lines({
      HTTPS_PROXY: 'http://user:hush@proxy.example.com',
      HTTP_PROXY: 'https://hush@10.0.0.1',
      NO_PROXY: '.A.example, 10.0.0.0/8',
    });
    assert(shown.includes('HTTPS_PROXY=http://proxy.example.com:80'), shown.join('\n'));
    assert(shown.includes('HTTP_PROXY=https://10.0.0.1:443'));
    assert(shown.includes('NO_PROXY=.a.example,10.0.0.0/8'));
    assert.doesNotMatch(shown.join(), /hush/);
  });
});
