import { DEFAULT_ALLOWED } from '../file-types/file-types.ts';
import { showProxy } from '../http/outbound-proxy.ts';
import { formatClamavAddress } from '../scan/clamd.ts';
import {
  formatOriginPattern,
  parseBaseUrl,
  parseClamavAddress,
  parseHost,
  parseIssuer,
  parseNoProxy,
  parseOrigin,
  parseOriginPattern,
  parseProxyUrl,
  parseSecureOrigin,
  parseSocketPath,
  parseTrustProxy,
  parseWebUrl,
} from './addresses.ts';
import {
  integer,
  listOf,
  matching,
  offOr,
  oneOf,
  type Parser,
  parseAllowedTypes,
  parseBasePath,
  parseChannel,
  parseCookieName,
  parseFilePath,
  parseHeaderName,
  parsePassthroughRule,
  parseSwitch,
  parseUserHeader,
  setOf,
  toChoice,
} from './parsers.ts';
import { parseRedisUrl } from './redis-address.ts';
import {
  parseLocationId,
  parseSealingSecrets,
  parseSharedSecret,
  parseToken,
  SEALING_EXAMPLE,
} from './secrets.ts';

/** What the documents and `--check-config` say of a setting. */
interface SettingText<T> {
  /** An acceptable value, shown with every problem. */
  readonly example: string;
  /** One line without a full stop: the comment in `.env.example`, and how its row in docs/configuration.md begins. */
  readonly doc: string;
  /** The rest of that row, in whole sentences. */
  readonly details?: string;
  /** The value as `--check-config` shows it. Default: as it would be written in the environment. */
  show?(value: T): string;
  /** What `--check-config` shows where there is no value. Default: `not set`. */
  readonly unsetText?: string;
  /** The setting without which this one has no effect, which is rejected: `ADMIN_PORT`, `AUTH=jwt`. */
  readonly partOf?: string;
  /** The setting that replaces this one. */
  readonly replacedBy?: string;
  /** Another name, which wins if both are set. */
  readonly alias?: string;
}

/** One variable of the environment. */
export interface Setting<Key extends string | null, T> extends SettingText<T> {
  /** The place in `Config`, or for a secret in `Secrets`; `null` if the place depends on other settings. */
  readonly key: Key;
  readonly parse: Parser<T>;
  /** The default as an operator would write it; `null` if there is none. */
  readonly default: string | null;
  /** The value if the variable is not set. */
  readonly fallback: T;
}

/** A setting with a default, which goes through the same parser as the operator's value. */
function setting<const Key extends string | null, T>(
  key: Key,
  parse: Parser<T>,
  text: SettingText<T> & { readonly default: string },
): Setting<Key, T> {
  const parsed = parse(text.default);
  if (!parsed.ok) throw new TypeError(`The default ${text.default} ${parsed.problem}`);
  return { ...text, key, parse, fallback: parsed.value };
}

/** A setting that may be left out; its value is then `unset`, or `null`. */
function optional<const Key extends string | null, T, Unset = null>(
  key: Key,
  parse: Parser<T>,
  { unset, ...text }: SettingText<T> & { readonly unset?: Unset },
): Setting<Key, T | Unset> {
  // Without `unset` its type is the default, null.
  const fallback = unset ?? (null as Unset);
  return { ...text, key, parse, default: null, fallback };
}

/** An optional setting that is never printed and may be given as `NAME_FILE` too. */
function secret<const Key extends string | null, T, Unset = null>(
  key: Key,
  parse: Parser<T>,
  text: SettingText<T> & { readonly unset?: Unset },
): Setting<Key, T | Unset> & { readonly secret: true } {
  return { ...optional(key, parse, text), secret: true };
}

/** A query may hold a key. */
function showWithoutQuery({ origin, pathname }: URL): string {
  return origin + pathname;
}

const TEBIBYTE = 1024 ** 4;
/** Every upload may hold this much at once, times `MAX_CONCURRENT_UPLOADS`. */
const LARGEST_HOLD = 16 * 1024 * 1024;

const PROCESS = {
  // A closed list, because `prod` taken for "not production" would open the sandbox and turn off AUTH.
  NODE_ENV: setting(null, oneOf('production', 'development', 'test'), {
    default: 'development',
    example: 'production',
    doc: '`production` turns off every convenience that is unsafe there',
    details: 'Otherwise `development` or `test`; anything else is rejected, a mistyped `production` too.',
  }),
  HOST: optional(null, parseHost, {
    example: '0.0.0.0',
    doc: 'Address to listen on; `127.0.0.1` when not set, `0.0.0.0` in production',
    details: '`::` listens on IPv6 too. In a container, development needs `HOST=0.0.0.0`.',
    replacedBy: 'LISTEN',
  }),
  PORT: setting(null, integer(0, 65_535), {
    default: '3000',
    example: '8080',
    doc: 'Port to listen on; `0` picks a free one',
    replacedBy: 'LISTEN',
  }),
  LISTEN: optional(null, parseSocketPath, {
    example: '/run/leadway-bff/bff.sock',
    doc: 'Path of a unix socket to listen on, instead of `HOST` and `PORT`; its group may connect',
    details:
      'The file has mode 0660 and is removed at the end; a socket file without a listener is replaced. A process that connects counts as a trusted proxy once `TRUST_PROXY` is set.',
  }),
  ADMIN_HOST: setting(null, parseHost, {
    default: '127.0.0.1',
    example: '10.0.0.5',
    doc: 'Address of the metrics listener',
    details: 'Only together with `ADMIN_PORT`. Keep it private.',
    partOf: 'ADMIN_PORT',
  }),
  ADMIN_PORT: optional(null, offOr(integer(0, 65_535), null), {
    example: '9090',
    doc: 'Port of the metrics listener; `off` when not set',
    details: '[Monitoring](monitoring.md) says what it serves.',
    unsetText: 'off',
  }),
  BASE_PATH: setting('basePath', parseBasePath, {
    default: '/api',
    example: '/uploads/api',
    doc: 'Prefix of the API; `/` for none',
    details: 'Letters, digits, `_` and `-` between single slashes.',
    show: (path) => path || '/',
  }),
  API_DOCS: setting('apiDocs', parseSwitch, {
    default: 'on',
    example: 'off',
    doc: 'Whether `BASE_PATH/docs` and `BASE_PATH/openapi.json` describe the API to everyone',
    details: '`off`: both are 404.',
  }),
  HSTS_MAX_AGE: setting('hstsMaxAgeS', integer(0, 1_000_000_000), {
    default: '0',
    example: '31536000',
    doc: 'Seconds of `Strict-Transport-Security`, never with subdomains; `0` leaves it to the proxy in front',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(null, parseWebUrl, {
    example: 'http://collector.example.com:4318',
    doc: 'Where traces are sent, by OTLP over HTTP; `/v1/traces` is added',
    details:
      'Needs [packages of OpenTelemetry](monitoring.md#traces), which reads its other standard variables itself.',
    show: showWithoutQuery,
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: optional(null, parseWebUrl, {
    example: 'http://collector.example.com:4318/v1/traces',
    doc: 'The same as a whole URL, which wins',
    show: showWithoutQuery,
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(null, oneOf('http/protobuf'), {
    default: 'http/protobuf',
    example: 'http/protobuf',
    doc: 'The one protocol of the exporter',
  }),
  OTEL_TRACES_EXPORTER: setting(null, oneOf('otlp', 'none'), {
    default: 'otlp',
    example: 'none',
    doc: '`none` sends no traces',
  }),
  OTEL_SDK_DISABLED: setting(null, oneOf('true', 'false'), {
    default: 'false',
    example: 'true',
    doc: '`true` sends no traces either',
  }),
  LOG_LEVEL: setting('log.level', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), {
    default: 'info',
    example: 'debug',
    doc: 'Least severe level that is logged',
    details: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  }),
  SHUTDOWN_DELAY_MS: setting('shutdownDelayMs', integer(0, 600_000), {
    default: '0',
    example: '10000',
    doc: 'How long requests are still served after SIGTERM, while `/readyz` is 503 already',
    details: 'Load balancers need the time to notice: see [Shutdown](deployment.md#shutdown).',
  }),
  SHUTDOWN_GRACE_MS: setting('shutdownGraceMs', integer(0, 3_600_000), {
    default: '30000',
    example: '60000',
    doc: 'How long uploads in flight may take to finish after that',
    details: 'Give the orchestrator a few seconds more than both together before it kills the process.',
  }),
};

const UPSTREAM = {
  LEADWAY_BASE_URL: setting(null, parseBaseUrl, {
    default: 'https://services.leadconnectorhq.com',
    example: 'https://services.leadconnectorhq.com',
    doc: 'Where Leadway is; the only host that the token is sent to',
    details: 'No path. In production https, except on this machine.',
    show: (url) => url.origin,
  }),
  LEADWAY_API_VERSION: setting(
    null,
    matching(/^(\d{4}-\d{2}-\d{2}|v\d{1,2})$/, 'a date (YYYY-MM-DD) or v3'),
    {
      default: '2021-07-28',
      example: '2021-07-28',
      doc: 'The `Version` header of every call to Leadway',
      details: '`v3` works too: its errors are another shape, which is read as well.',
    },
  ),
  LEADWAY_TOKEN: secret(null, parseToken, {
    example: 'pit-00000000-0000-0000-0000-000000000000',
    doc: 'Bearer token of the single location; two during a rotation: `new,old`',
    details:
      'Without `Bearer` in front. Of two, the second is used once Leadway rejects the first. Required in production (or `LEADWAY_TOKENS_FILE`). A file is read again when it changes and after Leadway rejects the token.',
  }),
  LEADWAY_LOCATION_ID: optional(null, parseLocationId, {
    example: 'exampleLocation00001',
    doc: 'The single location, which `LEADWAY_TOKEN` belongs to',
    details: 'Required with `LEADWAY_TOKEN`, rejected with `LEADWAY_TOKENS_FILE`.',
  }),
  LEADWAY_TOKENS_FILE: optional(null, parseFilePath, {
    example: '/run/secrets/leadway-tokens.json',
    doc: 'JSON file of `{"locationId": "token"}` for several locations, instead of the two above',
    details: 'Each token may be two, `new,old`.',
  }),
  SANDBOX: setting(null, oneOf('auto', 'on', 'off'), {
    default: 'auto',
    example: 'on',
    doc: 'Embedded stand-in for Leadway; `auto` is `on` when no token is set outside production',
    details: '`on` together with a token is rejected; `on` in production is a warning.',
  }),
  UPSTREAM_TIMEOUT_MS: setting('upstreamTimeoutMs', integer(10, 3_600_000), {
    default: '60000',
    example: '120000',
    doc: 'No progress from Leadway or storage for this long ends the call with 504',
  }),
  STORAGE_ORIGINS: setting('storageOrigins', listOf(parseOriginPattern), {
    default: 'https://storage.googleapis.com,https://*.storage.googleapis.com',
    example: 'https://storage.googleapis.com',
    doc: 'Where signed URLs may point; http only when listed',
    details: '`*.` stands for one or more labels in front.',
    show: (origins) => origins.map(formatOriginPattern).join(','),
  }),
  HTTPS_PROXY: secret('httpsProxy', parseProxyUrl, {
    example: 'http://proxy.example.com:3128',
    doc: 'The proxy for calls to https addresses: Leadway, storage and the token issuer',
    details:
      'It may hold a user: `http://user:password@proxy.example.com:3128`. `https_proxy` is read too, and wins. What stays on this machine (`localhost`, `127.0.0.0/8`, `::1`) never uses a proxy. The start shows its scheme, host and port.',
    alias: 'https_proxy',
    show: showProxy,
  }),
  HTTP_PROXY: secret('httpProxy', parseProxyUrl, {
    example: 'http://proxy.example.com:3128',
    doc: 'The proxy for calls to http addresses',
    details: 'Or `http_proxy`.',
    alias: 'http_proxy',
    show: showProxy,
  }),
  NO_PROXY: optional('outbound.noProxy', parseNoProxy, {
    example: '.internal.example.com,10.0.0.0/8',
    doc: 'Hosts that are reached without the proxy; this machine always is',
    details:
      'Between commas: `example.com` and `.example.com` stand for the host and everything below it, `10.0.0.0/8` for addresses, `*` for everything; a port may follow. Or `no_proxy`.',
    alias: 'no_proxy',
    unset: [],
  }),
  NODE_EXTRA_CA_CERTS: optional('outbound.extraCaCerts', parseFilePath, {
    example: '/etc/ssl/certs/company-ca.pem',
    doc: 'Certificates of authorities to trust besides the usual ones, in PEM; has no effect in `.env`',
    details: 'That of your company’s proxy, for instance. Node itself reads it before the program starts.',
  }),
  PASSTHROUGH: optional('passthrough', listOf(parsePassthroughRule), {
    example: 'POST /conversations/messages,GET /conversations/:id',
    doc: 'Other Leadway calls that are passed through, as `METHOD /path` patterns between commas',
    details: 'A variable part, such as `:id`, stands for one id.',
    unset: [],
    unsetText: 'none',
    show: (rules) => rules.map(({ method, path }) => `${method} ${path}`).join(','),
  }),
};

/** The values of `AUTH`. */
export const AUTH_KINDS = ['none', 'jwt', 'header', 'sso'] as const;

const ACCESS = {
  AUTH: optional(null, oneOf(...AUTH_KINDS), {
    example: 'none',
    doc: 'How clients authenticate. Must be set in production; `none` by default elsewhere',
    details: `${toChoice(AUTH_KINDS.map((kind) => `\`${kind}\``))}; \`none\` in production is a warning. See [How clients are known](#how-clients-are-known).`,
  }),
  AUTH_JWT_ISSUER: optional(null, parseIssuer, {
    example: 'https://login.example.com/',
    doc: 'The `iss` claim, exactly',
    details: 'Required.',
    partOf: 'AUTH=jwt',
  }),
  AUTH_JWT_AUDIENCE: optional(null, matching(/^[!-~]{1,256}$/, 'printable ASCII without spaces'), {
    example: 'leadway-bff',
    doc: 'The `aud` claim',
    details: 'Required.',
    partOf: 'AUTH=jwt',
  }),
  AUTH_JWT_JWKS_URL: optional(null, parseWebUrl, {
    example: 'https://login.example.com/.well-known/jwks.json',
    doc: 'The signing keys; discovered from the issuer when not set',
    unsetText: 'discovered from the issuer',
    partOf: 'AUTH=jwt',
  }),
  AUTH_JWT_COOKIE: optional(null, parseCookieName, {
    example: 'session',
    doc: 'Cookie that may carry the token instead of the `Authorization` header',
    partOf: 'AUTH=jwt',
  }),
  AUTH_JWT_LOCATIONS_CLAIM: setting(null, matching(/^[!-~]{1,256}$/, 'the name of a claim'), {
    default: 'locations',
    example: 'https://example.com/locations',
    doc: 'Claim that lists the location ids of the client',
    details: 'A list, or one string with spaces or commas. A token without it may use no location.',
    partOf: 'AUTH=jwt',
  }),
  AUTH_USER_HEADER: setting(null, parseUserHeader, {
    default: 'X-Forwarded-User',
    example: 'oauth2-proxy',
    doc: 'Header in which the authenticating proxy names the user; `oauth2-proxy` or `authelia` for theirs',
    details: 'Needs `TRUST_PROXY`. Theirs are `X-Auth-Request-User` and `Remote-User`.',
    partOf: 'AUTH=header',
  }),
  AUTH_LOCATIONS_HEADER: optional(null, parseHeaderName, {
    example: 'X-Auth-Request-Locations',
    doc: 'Header with a comma list of location ids',
    details: 'Not set, every user may use all locations; set, a user without it may use none.',
    partOf: 'AUTH=header',
  }),
  SSO_SHARED_SECRET: secret('ssoSharedSecret', parseSharedSecret, {
    example: '00000000-0000-0000-0000-000000000000',
    doc: 'The shared secret of the app inside Leadway',
    details: 'Required.',
    partOf: 'AUTH=sso',
  }),
  SESSION_SECRETS: secret('sessionSecrets', parseSealingSecrets, {
    example: SEALING_EXAMPLE,
    doc: 'Comma list, each at least 32 characters; the first seals sessions, all open them',
    details: 'Required.',
    unset: [],
    partOf: 'AUTH=sso',
  }),
  SESSION_TTL_MS: setting(null, integer(1000, 86_400_000), {
    default: '900000',
    example: '3600000',
    doc: 'How long a session lasts',
    partOf: 'AUTH=sso',
  }),
  ALLOWED_ORIGINS: optional('origins.allowed', setOf(parseOrigin), {
    example: 'https://app.example.com,https://crm.example.com',
    doc: 'Origins of pages that may call; same origin only when not set',
    details:
      'No `*`, no paths. Outside production, requests must also name `localhost`, `*.localhost`, an IP address or the host of one of these origins in their `Host` header.',
    unset: [],
    unsetText: 'same origin only',
  }),
  TRUST_PROXY: optional('trustProxy', offOr(parseTrustProxy, false), {
    example: '1',
    doc: 'Hops, or a comma list of addresses and networks, of the proxies in front; `off` when not set',
    details:
      '1 to 10 hops, or addresses, CIDRs, `loopback`, `linklocal`, `uniquelocal`. `true` and `/0` are rejected, because clients could then choose their own address.',
    unset: false,
  }),
  RATE_LIMIT_MAX: setting('rateLimit.max', integer(1, 1_000_000), {
    default: '60',
    example: '120',
    doc: 'API calls per client in one window',
  }),
  RATE_LIMIT_WINDOW_MS: setting('rateLimit.windowMs', integer(10, 86_400_000), {
    default: '60000',
    example: '10000',
    doc: 'Length of that window',
  }),
  REDIS_URL: secret('redisUrl', parseRedisUrl, {
    example: 'redis://redis.example.com:6379',
    doc: 'Shared counters for several replicas; also `rediss://`, `valkey://` and `redis+sentinel://host1,host2/name`',
    details: '[Scaling](scaling.md) says more. While Redis is down each process counts for itself.',
  }),
  TICKET_SECRETS: secret('ticketSecrets', parseSealingSecrets, {
    example: SEALING_EXAMPLE,
    doc: 'Comma list, each at least 32 characters; the first seals tickets, all open them; random when not set',
    details: 'Several replicas need the same ones.',
    unset: [],
  }),
};

const UPLOADS = {
  FORWARD_MAX_BYTES: setting('forward.maxBytes', integer(1, TEBIBYTE), {
    default: '5242880',
    example: '10485760',
    doc: 'Largest file that is forwarded to Leadway',
  }),
  FORWARD_HOLD_BYTES: setting('forward.holdBytes', integer(0, LARGEST_HOLD), {
    default: '262144',
    example: '65536',
    doc: 'Uploads up to this size are held for a moment and sent with an exact length; at most `FORWARD_MAX_BYTES`',
    details: 'Lowered to that where it is not set.',
  }),
  FORWARD_FALLBACK_MAX_BYTES: setting('forward.fallbackMaxBytes', integer(1, TEBIBYTE), {
    default: '5242880',
    example: '26214400',
    doc: 'Largest forwarded file where Leadway offers no direct uploads; at least `FORWARD_MAX_BYTES`',
    details: 'Raised to that where it is not set.',
  }),
  MAX_FILES: setting('uploads.maxFiles', integer(1, 50), {
    default: '5',
    example: '10',
    doc: 'Files in one request, 1 to 50',
    details: 'Leadway documents 5: more are warned about at the start.',
  }),
  DEFAULT_CHANNEL: setting('uploads.defaultChannel', parseChannel, {
    default: 'SMS',
    example: 'WHATSAPP',
    doc: 'Channel of a call that names none',
  }),
  ALLOWED_TYPES: setting('uploads.allowedExtensions', parseAllowedTypes, {
    default: DEFAULT_ALLOWED.join(','),
    example: 'jpg,jpeg,png,pdf',
    doc: 'File extensions that are accepted; `+name` or `+family` adds to the default, as in `+vcf,+office`',
    details:
      'A plain list replaces the default. Mixing both is an error. [File types](types.md) lists the families.',
  }),
  STRICT_DELIVERY: setting('uploads.strictDelivery', parseSwitch, {
    default: 'off',
    example: 'on',
    doc: 'Whether a file that its channel will not deliver is rejected',
    details: '`on`: with 422 `NOT_DELIVERABLE`. [Delivery](delivery.md) has the rules.',
  }),
  MAX_CONCURRENT_UPLOADS: setting('uploads.maxConcurrent', integer(1, 100_000), {
    default: '256',
    example: '64',
    doc: 'Uploads in flight at once, the forms of initiate included',
  }),
  MAX_CONCURRENT_UPLOADS_PER_CALLER: setting('uploads.maxConcurrentPerClient', integer(1, 100_000), {
    default: '8',
    example: '4',
    doc: 'Uploads in flight at once for one client',
  }),
  UPLOAD_IDLE_TIMEOUT_MS: setting('uploads.idleTimeoutMs', integer(10, 3_600_000), {
    default: '30000',
    example: '60000',
    doc: 'No progress from the client for this long ends the upload with 408',
  }),
  ATTACHMENT_URL_ORIGINS: optional('attachmentUrlOrigins', setOf(parseSecureOrigin), {
    example: 'https://files.example.com',
    doc: 'https origins from which `attachmentUrls` are accepted; none when not set',
    unset: [],
    unsetText: 'none',
  }),
  CLAMAV_URL: optional('clamav.address', parseClamavAddress, {
    example: 'tcp://clamav.example.com:3310',
    doc: 'clamd that scans each file before it is committed',
    details: '`tcp://host:3310`, `unix:/path` or the path of a socket. [Malware scan](malware-scan.md).',
    show: formatClamavAddress,
  }),
  CLAMAV_ON_ERROR: setting('clamav.onError', oneOf('reject', 'allow'), {
    default: 'reject',
    example: 'allow',
    doc: 'What happens to files that clamd can’t scan; `allow` lets them pass and logs it',
  }),
  CLAMAV_DIRECT: setting('clamav.direct', oneOf('off', 'allow'), {
    default: 'off',
    example: 'allow',
    doc: '`allow` offers direct uploads although no scan sees them',
  }),
};

/** The settings by the headings of `.env.example` and docs/configuration.md. */
export const SECTIONS = {
  'The process and its listeners': PROCESS,
  'Leadway and its storage': UPSTREAM,
  Access: ACCESS,
  Uploads: UPLOADS,
};

/**
 * Every setting. Makes the types of `Config` and `Secrets`, the checks, `--check-config`, and with `npm run docs`
 * `.env.example` and the tables of docs/configuration.md.
 */
export const SETTINGS = { ...PROCESS, ...UPSTREAM, ...ACCESS, ...UPLOADS };

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The names that the environment may hold: the settings, and `X_FILE` for each secret `X`. */
export const ALL_NAMES: readonly string[] = SETTING_NAMES.flatMap((name) =>
  'secret' in SETTINGS[name] ? [name, `${name}_FILE`] : [name],
);
