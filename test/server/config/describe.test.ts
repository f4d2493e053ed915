import assert from 'node:assert/strict';
import { describeConfig } from '../../../server/config/config.ts';
import { SETTINGS } from '../../../server/config/settings.ts';
import { accept, PRODUCTION, SEALING } from './helpers.ts';

function lines(
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  return describeConfig(accept(env, files)).split('\n');
}

describe('describeConfig', () => {
  it('writes one NAME=value per line, of known names only', () => {
    for (const line of lines({})) {
      const [name = '', ...value] = line.split('=');
      assert(name in SETTINGS, line);
      assert.notEqual(value.join('='), '', line);
    }
  });

  it('shows LISTEN instead of HOST and PORT', () => {
    const shown = lines({ LISTEN: '/run/bff.sock' });
    assert(shown.includes('LISTEN=/run/bff.sock'));
    assert(!shown.some((line) => /^(HOST|PORT)=/.test(line)));
  });

  it('leaves out only what belongs to another kind of AUTH, and ADMIN_HOST without a port', () => {
    const named = new Set(lines({}).map((line) => line.split('=')[0]));
    const missing = Object.keys(SETTINGS).filter((name) => !named.has(name));
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
    const jwt = lines({
      AUTH: 'jwt',
      AUTH_JWT_ISSUER: 'https://login.example.com/',
      AUTH_JWT_AUDIENCE: 'bff',
    }).join('\n');
    assert.match(jwt, /^AUTH=jwt\nAUTH_JWT_ISSUER=https:\/\/login.example.com\/\n/m);
    assert.match(jwt, /^AUTH_JWT_JWKS_URL=discovered from the issuer$/m);
    const header = lines({ AUTH: 'header', TRUST_PROXY: 'loopback', AUTH_USER_HEADER: 'X-User' }).join('\n');
    assert.match(header, /^AUTH_USER_HEADER=X-User\nAUTH_LOCATIONS_HEADER=not set$/m);
    const sso = lines({
      AUTH: 'sso',
      SSO_SHARED_SECRET: 'shared',
      SESSION_SECRETS: SEALING,
      SESSION_TTL_MS: '60000',
    }).join('\n');
    assert.match(sso, /^SSO_SHARED_SECRET=set\nSESSION_SECRETS=set\nSESSION_TTL_MS=60000$/m);
    assert.doesNotMatch(`${header}\n${sso}`, /^AUTH_JWT/m);
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
