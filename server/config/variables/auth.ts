import { distinct, good, integer, listOf, matching, offOr, oneOf, type Parsed } from '../parsers.ts';
import { parseRedisUrl } from '../redis-address.ts';
import { parseSealingSecrets, parseSharedSecret, SEALING_EXAMPLE } from '../secret-parsers.ts';
import { optional, setting } from '../setting.ts';
import { parseTrustProxy } from '../trust-proxy.ts';
import { parseIssuer, parseOrigin, parseWebUrl } from '../web-address.ts';

const HTTP_TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const headerName = matching(HTTP_TOKEN, 'the name of a header');

/** What authenticating proxies call their user header. */
const USER_HEADERS: ReadonlyMap<string, string> = new Map([
  ['oauth2-proxy', 'X-Auth-Request-User'],
  ['authelia', 'Remote-User'],
]);

function parseUserHeader(raw: string): Parsed<string> {
  const preset = USER_HEADERS.get(raw.toLowerCase());
  return preset === undefined ? headerName(raw) : good(preset);
}

/** Who may call, from where, and how often. */
export const CALLER_VARIABLES = {
  AUTH: optional(oneOf('none', 'jwt', 'header', 'sso'), {
    example: 'none',
    doc: 'how clients are told apart; none outside production, where it must be set',
  }),
  AUTH_JWT_ISSUER: optional(parseIssuer, {
    example: 'https://login.example.com/',
    doc: 'AUTH=jwt: the iss claim, exactly',
  }),
  AUTH_JWT_AUDIENCE: optional(matching(/^[!-~]{1,256}$/, 'printable ASCII without blanks'), {
    example: 'leadway-bff',
    doc: 'AUTH=jwt: the aud claim',
  }),
  AUTH_JWT_JWKS_URL: optional(parseWebUrl, {
    example: 'https://login.example.com/.well-known/jwks.json',
    doc: 'AUTH=jwt: the signing keys; discovered from the issuer when not set',
  }),
  AUTH_JWT_COOKIE: optional(matching(HTTP_TOKEN, 'the name of a cookie'), {
    example: 'session',
    doc: 'AUTH=jwt: cookie that may carry the token instead of the Authorization header',
  }),
  AUTH_JWT_LOCATIONS_CLAIM: setting(matching(/^[!-~]{1,256}$/, 'the name of a claim'), {
    default: 'locations',
    example: 'https://example.com/locations',
    doc: 'AUTH=jwt: claim that lists the location ids of the client',
  }),
  AUTH_USER_HEADER: setting(parseUserHeader, {
    default: 'X-Forwarded-User',
    example: 'oauth2-proxy',
    doc: 'AUTH=header: header in which the authenticating proxy names the user, or oauth2-proxy or authelia for theirs',
  }),
  AUTH_LOCATIONS_HEADER: optional(headerName, {
    example: 'X-Auth-Request-Locations',
    doc: 'AUTH=header: header with a comma list of location ids',
  }),
  SSO_SHARED_SECRET: optional(parseSharedSecret, {
    example: '00000000-0000-0000-0000-000000000000',
    doc: 'AUTH=sso: the shared secret of the app inside Leadway',
    secret: true,
  }),
  SESSION_SECRETS: optional(parseSealingSecrets, {
    example: SEALING_EXAMPLE,
    doc: 'AUTH=sso: comma list, each at least 32 characters; the first seals sessions, all open them',
    secret: true,
  }),
  SESSION_TTL_MS: setting(integer(1000, 86_400_000), {
    default: '900000',
    example: '3600000',
    doc: 'AUTH=sso: how long a session lasts',
  }),
  ALLOWED_ORIGINS: optional(distinct(listOf(parseOrigin)), {
    example: 'https://app.example.com,https://crm.example.com',
    doc: 'origins of pages that may call; same origin only when not set',
  }),
  TRUST_PROXY: optional(offOr(parseTrustProxy), {
    example: '1',
    doc: 'hops, or a comma list of addresses and networks, of the proxies in front; off when not set',
  }),
  RATE_LIMIT_MAX: setting(integer(1, 1_000_000), {
    default: '60',
    example: '120',
    doc: 'API calls per client in one window',
  }),
  RATE_LIMIT_WINDOW_MS: setting(integer(10, 86_400_000), {
    default: '60000',
    example: '10000',
    doc: 'length of that window',
  }),
  REDIS_URL: optional(parseRedisUrl, {
    example: 'redis://redis.example.com:6379',
    doc: 'shared counters for several replicas; also rediss://, valkey:// and redis+sentinel://host,host/name',
    secret: true,
  }),
  TICKET_SECRETS: optional(parseSealingSecrets, {
    example: SEALING_EXAMPLE,
    doc: 'comma list, each at least 32 characters; the first seals tickets, all open them; random when not set',
    secret: true,
  }),
};
