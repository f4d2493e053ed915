import type { ListenAddress } from '../http/listen.ts';
import { showProxy } from '../http/outbound-proxy.ts';
import type { AuthConfig } from './auth.ts';
import type { Config } from './config.ts';
import type { VariableName } from './env.ts';
import { formatOriginPattern } from './origin-pattern.ts';
import type { Secret, Secrets } from './secrets.ts';

type AuthVariable = Extract<VariableName, `AUTH${string}` | `SSO_${string}` | `SESSION_${string}`>;

const NOT_SET = 'not set';

/** The resolved settings, one `NAME=value` per line and secrets hidden; what does not apply is left out. */
export function describeConfig(config: Config, secrets: Secrets): string {
  const shown = {
    ...describeService(config),
    ...describeLeadway(config, secrets),
    ...describeClients(config, secrets),
    ...describeAuth(config.auth, secrets),
    ...describeUploads(config),
  };
  // Only the variables that say how clients sign in may be left out; the compiler holds us to the others.
  const all: Readonly<Record<Exclude<VariableName, AuthVariable>, string | null>> = shown;
  return Object.entries(all)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
    .join('\n');
}

function describeService(config: Config) {
  return {
    NODE_ENV: config.production ? 'production' : 'development or test',
    ...describeListener(config.listen),
    ADMIN_HOST: config.admin?.host ?? null,
    ADMIN_PORT: `${config.admin?.port ?? 'off'}`,
    BASE_PATH: config.basePath || '/',
    LOG_LEVEL: config.log.level,
    API_DOCS: config.apiDocs ? 'on' : 'off',
    HSTS_MAX_AGE: `${config.hstsMaxAgeS}`,
    SHUTDOWN_DELAY_MS: `${config.shutdownDelayMs}`,
    SHUTDOWN_GRACE_MS: `${config.shutdownGraceMs}`,
  };
}

function describeListener({ host, port, path }: ListenAddress) {
  return path === undefined
    ? { HOST: host, PORT: `${port}`, LISTEN: NOT_SET }
    : { HOST: null, PORT: null, LISTEN: path };
}

function describeLeadway({ leadway, sandbox, ...config }: Config, secrets: Secrets) {
  const several = secrets.locationTokens;
  return {
    LEADWAY_BASE_URL: sandbox ? 'the sandbox' : leadway.baseUrl.origin,
    LEADWAY_API_VERSION: leadway.apiVersion,
    LEADWAY_TOKEN: describeSecret('LEADWAY_TOKEN', secrets.leadwayToken?.value ?? null, secrets),
    LEADWAY_LOCATION_ID: several === null ? (leadway.singleLocationId ?? NOT_SET) : NOT_SET,
    LEADWAY_TOKENS_FILE:
      several === null ? NOT_SET : `from file ${several.file} (locations: ${leadway.locationIds.join(', ')})`,
    SANDBOX: sandbox ? 'on' : 'off',
    UPSTREAM_TIMEOUT_MS: `${config.upstreamTimeoutMs}`,
    HTTPS_PROXY: describeProxy('HTTPS_PROXY', secrets.httpsProxy, secrets),
    HTTP_PROXY: describeProxy('HTTP_PROXY', secrets.httpProxy, secrets),
    NO_PROXY: config.outbound.noProxy.join(',') || NOT_SET,
    NODE_EXTRA_CA_CERTS: config.outbound.extraCaCerts ?? NOT_SET,
    STORAGE_ORIGINS: config.storageOrigins.map(formatOriginPattern).join(','),
    PASSTHROUGH: config.passthrough.map(({ method, path }) => `${method} ${path}`).join(',') || 'none',
  };
}

function describeClients(config: Config, secrets: Secrets) {
  const { trustProxy } = config;
  return {
    ALLOWED_ORIGINS: config.origins.allowed.join(',') || 'same origin only',
    TRUST_PROXY: trustProxy === false ? 'off' : `${trustProxy}`,
    RATE_LIMIT_MAX: `${config.rateLimit.max}`,
    RATE_LIMIT_WINDOW_MS: `${config.rateLimit.windowMs}`,
    REDIS_URL: describeSecret('REDIS_URL', secrets.redisUrl, secrets),
    TICKET_SECRETS: describeSecret('TICKET_SECRETS', secrets.ticketSecrets[0] ?? null, secrets),
  };
}

function describeAuth(auth: AuthConfig, secrets: Secrets): Readonly<Partial<Record<VariableName, string>>> {
  const { kind: AUTH } = auth;
  switch (auth.kind) {
    case 'none':
      return { AUTH };
    case 'jwt':
      return {
        AUTH,
        AUTH_JWT_ISSUER: auth.issuer,
        AUTH_JWT_AUDIENCE: auth.audience,
        AUTH_JWT_JWKS_URL: auth.jwksUrl?.href ?? 'discovered from the issuer',
        AUTH_JWT_COOKIE: auth.cookie ?? NOT_SET,
        AUTH_JWT_LOCATIONS_CLAIM: auth.locationsClaim,
      };
    case 'header':
      return {
        AUTH,
        AUTH_USER_HEADER: auth.userHeader,
        AUTH_LOCATIONS_HEADER: auth.locationsHeader ?? NOT_SET,
      };
    case 'sso':
      return {
        AUTH,
        SSO_SHARED_SECRET: describeSecret('SSO_SHARED_SECRET', secrets.ssoSharedSecret, secrets),
        SESSION_SECRETS: describeSecret('SESSION_SECRETS', secrets.sessionSecrets[0] ?? null, secrets),
        SESSION_TTL_MS: `${auth.sessionTtlMs}`,
      };
  }
}

function describeUploads({ forward, uploads, ...config }: Config) {
  const { clamav } = config;
  return {
    FORWARD_MAX_BYTES: `${forward.maxBytes}`,
    FORWARD_HOLD_BYTES: `${forward.holdBytes}`,
    FORWARD_FALLBACK_MAX_BYTES: `${forward.fallbackMaxBytes}`,
    MAX_FILES: `${uploads.maxFiles}`,
    DEFAULT_CHANNEL: uploads.defaultChannel,
    ALLOWED_TYPES: uploads.allowedExtensions.join(','),
    MAX_CONCURRENT_UPLOADS: `${uploads.maxConcurrent}`,
    MAX_CONCURRENT_UPLOADS_PER_CALLER: `${uploads.maxConcurrentPerClient}`,
    UPLOAD_IDLE_TIMEOUT_MS: `${uploads.idleTimeoutMs}`,
    ATTACHMENT_URL_ORIGINS: config.attachmentUrlOrigins.join(',') || 'none',
    CLAMAV_URL:
      clamav === null ? NOT_SET : clamav.kind === 'tcp' ? `tcp://${clamav.host}:${clamav.port}` : clamav.path,
  };
}

/** A proxy is shown without its user and password. */
function describeProxy(name: VariableName, url: Secret | null, secrets: Secrets): string {
  return url === null || secrets.files.has(name) ? describeSecret(name, url, secrets) : showProxy(url);
}

function describeSecret(name: VariableName, secret: Secret | null, { files }: Secrets): string {
  const file = files.get(name);
  if (file !== undefined) return `from file ${file}`;
  return secret === null ? NOT_SET : 'set';
}
