import type { VariableName } from '../../../server/config/env.ts';
import { SEALING_EXAMPLE } from '../../../server/config/secret-parsers.ts';
import { SEALING } from './helpers.ts';

interface Cases {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const NOT_NUMBERS = ['-1', '+5', '1e3', '5MB', '0x10', '007', '1.5', ' 5', 'NaN', '9007199254740993000'];
const number = (min: number, max: number): Cases => ({
  good: [`${min}`, `${max}`],
  bad: [...NOT_NUMBERS, `${max + 1}`, ...(min > 0 ? [`${min - 1}`] : [])],
});
const HEADERS: Cases = { good: ['X-User', 'x_user'], bad: ['X User', 'X:User', 'a,b', 'Ñ'] };
const SEALS: Cases = {
  good: [SEALING, `${SEALING},${SEALING}x`, ` ${SEALING} , ${SEALING}`, 'x'.repeat(32)],
  bad: ['x'.repeat(31), `${SEALING},short`, `${SEALING},`, `,${SEALING}`, SEALING_EXAMPLE],
};

/** Values that each variable takes by itself, and values that it refuses. */
export const CASES: Readonly<Record<VariableName, Cases>> = {
  NODE_ENV: { good: ['production', 'development', 'test'], bad: ['prod', 'Production', 'staging'] },
  HOST: {
    good: ['0.0.0.0', '::', '::1', 'localhost', 'bff-1.example.com'],
    bad: ['[::1]', 'a b', 'http://x', 'x:80', '300.1.1.1', '-x', 'fe80::1%eth0', '1.2.3'],
  },
  PORT: number(0, 65_535),
  ADMIN_HOST: { good: ['127.0.0.1'], bad: ['127.0.0.1:9090'] },
  ADMIN_PORT: { good: ['off', '9090', '0'], bad: ['on', '65536', '-1'] },
  BASE_PATH: {
    good: ['/', '/api', '/api/', '/a-b/c_d'],
    bad: [
      'api',
      '//',
      '/a//b',
      '/a/../b',
      '/a b',
      '/%2e',
      '/a?b',
      '/:x',
      '/a/*',
      '//evil.example',
      '/é',
      '/a\n',
    ],
  },
  LOG_LEVEL: {
    good: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    bad: ['verbose', 'INFO'],
  },
  SHUTDOWN_GRACE_MS: number(0, 3_600_000),
  LEADWAY_BASE_URL: {
    good: [
      'https://a.example',
      'https://a.example/',
      'http://127.0.0.1:4000',
      'https://[::1]:8443',
      'http://localhost:1',
    ],
    bad: [
      'a.example',
      'ftp://a.example',
      'https://a.example/v1',
      'https://a.example?x=1',
      'https://a.example#x',
      'https://u:p@a.example',
      'https://a.example:99999',
      'https:\\\\a.example',
      'https://1',
      'https://0x7f.1',
      'https://a..b',
      'https://',
      'https://a b',
    ],
  },
  LEADWAY_API_VERSION: { good: ['2021-07-28', 'v3'], bad: ['2021-7-28', 'latest', '2021-07-28\r\nX: y'] },
  LEADWAY_TOKEN: {
    good: ['pit-1', 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln', 'a+b/c=~', 'new,old'],
    bad: ['Bearer abc', 'a b', 'a\nb', 'ñ', 'a,b,c', 'new,', ',old', 'new, old', 'x'.repeat(8193), '\t'],
  },
  LEADWAY_LOCATION_ID: {
    good: ['a', 'A-Z_9', 'x'.repeat(64)],
    bad: ['a b', 'x'.repeat(65), 'a/b', 'é', 'pit-123'],
  },
  LEADWAY_TOKENS_FILE: { good: ['/run/secrets/tokens.json', 'tokens.json'], bad: ['a\0b'] },
  SANDBOX: { good: ['auto', 'on', 'off'], bad: ['true', '1', 'ON'] },
  UPSTREAM_TIMEOUT_MS: number(10, 3_600_000),
  STORAGE_ORIGINS: {
    good: ['https://a.example', 'https://*.storage.example:8443', 'http://127.0.0.1:9000,https://a.example'],
    bad: [
      'https://*',
      'https://*.com',
      'https://*.1.2.3.4',
      'https://a.*.example',
      'https://*.*.example.com',
      'https://*a.example.com',
      'https://a.example/',
      'https://a.example/bucket',
      'https://u@a.example',
      'gs://a.example',
      'a.example',
      'https://a.example,',
    ],
  },
  PASSTHROUGH: {
    good: ['GET /conversations/:id', 'POST /conversations/messages,GET /contacts/:contactId/notes'],
    bad: [
      'GET',
      '/x',
      'get /x',
      'TRACE /x',
      'GET x',
      'GET /',
      'GET /a//b',
      'GET /a/../b',
      'GET /a?b',
      'GET /a/*',
      'GET  /a',
    ],
  },
  AUTH: { good: ['none', 'jwt', 'header', 'sso'], bad: ['None', 'basic', 'off'] },
  AUTH_JWT_ISSUER: {
    good: ['https://login.example.com', 'https://login.example.com/realms/x'],
    bad: ['login.example.com', 'https://u:p@x.example', 'https://x.example/#a', 'ftp://x'],
  },
  AUTH_JWT_AUDIENCE: { good: ['api://bff', 'x'], bad: ['a b', 'ñ', 'x'.repeat(257)] },
  AUTH_JWT_JWKS_URL: { good: ['https://x.example/keys?v=1'], bad: ['/keys', 'file:///etc/passwd'] },
  AUTH_JWT_COOKIE: { good: ['session', '__Host-sid'], bad: ['a b', 'a=b', 'a;b', 'a,b'] },
  AUTH_JWT_LOCATIONS_CLAIM: { good: ['locations', 'https://example.com/locations'], bad: ['a b'] },
  AUTH_USER_HEADER: { good: [...HEADERS.good, 'oauth2-proxy', 'authelia'], bad: HEADERS.bad },
  AUTH_LOCATIONS_HEADER: HEADERS,
  SSO_SHARED_SECRET: { good: ['00000000-0000'], bad: ['a b', 'ñ', 'a\n'] },
  SESSION_SECRETS: SEALS,
  SESSION_TTL_MS: number(1000, 86_400_000),
  ALLOWED_ORIGINS: {
    good: [
      'https://app.example.com',
      'http://localhost:5173,https://a.example',
      'HTTPS://A.Example:443',
      'https://ñ.example',
    ],
    bad: [
      '*',
      'null',
      'https://*.example.com',
      'https://a.example/',
      'https://a.example/x',
      'a.example',
      'capacitor://localhost',
      'https://a.example,,https://b.example',
      'https://u@a.example',
      'https://a.example https://b.example',
    ],
  },
  TRUST_PROXY: {
    good: [
      'off',
      '1',
      '10',
      'loopback',
      '10.0.0.0/8, ::1',
      'uniquelocal,linklocal',
      'fd00::/8',
      '192.168.1.1/32',
    ],
    bad: [
      'true',
      'TRUE',
      'false',
      '0',
      '11',
      '-1',
      '*',
      '0.0.0.0/0',
      '::/0',
      '10.0.0.0/33',
      '10.0.0/8',
      'proxy',
      '1,2',
      '10.0.0.0/8/8',
      '010.0.0.1',
      '10.0.0.0/08',
    ],
  },
  RATE_LIMIT_MAX: number(1, 1_000_000),
  RATE_LIMIT_WINDOW_MS: number(10, 86_400_000),
  REDIS_URL: {
    good: ['redis://redis:6379', 'rediss://u:p@redis.example:6380/1', 'redis://redis'],
    bad: ['redis:6379', 'http://redis', 'redis://redis/a', 'redis://', 'redis://u:%zz@redis'],
  },
  TICKET_SECRETS: SEALS,
  FORWARD_MAX_BYTES: number(1, 1024 ** 4),
  FORWARD_HOLD_BYTES: number(0, 16_777_216),
  FORWARD_FALLBACK_MAX_BYTES: number(1, 1024 ** 4),
  MAX_FILES: number(1, 50),
  DEFAULT_CHANNEL: { good: ['SMS', 'whatsapp', 'Live_Chat'], bad: ['a b', 'x'.repeat(33), 'SMS,EMAIL', 'é'] },
  ALLOWED_TYPES: { good: ['jpg', 'JPG,vcf', 'jpg, png'], bad: ['.jpg', 'exe', 'image/png', 'jpg,', '*'] },
  MAX_CONCURRENT_UPLOADS: number(1, 100_000),
  MAX_CONCURRENT_UPLOADS_PER_CALLER: number(1, 100_000),
  UPLOAD_IDLE_TIMEOUT_MS: number(10, 3_600_000),
  ATTACHMENT_URL_ORIGINS: {
    good: ['https://files.example.com'],
    bad: ['http://files.example.com', '*', 'https://a.example/x'],
  },
  CLAMAV_URL: {
    good: ['tcp://clamav:3310', 'tcp://[::1]:3310', 'tcp://10.0.0.1:3310', '/run/clamav/clamd.ctl'],
    bad: [
      'clamav:3310',
      'tcp://clamav',
      'tcp://:3310',
      'tcp://clamav:0',
      'tcp://clamav:99999',
      'run/clamd.ctl',
      'http://clamav:3310',
      '/a b',
    ],
  },
};
