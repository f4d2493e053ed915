import { parseOriginPattern } from '../origin-pattern.ts';
import { parseNoProxy, parseProxyUrl } from '../outbound.ts';
import { integer, listOf, matching, oneOf } from '../parsers.ts';
import { parsePassthroughRule } from '../passthrough.ts';
import { parseLocationId, parseToken } from '../secret-parsers.ts';
import { optional, setting } from '../setting.ts';
import { parseBaseUrl } from '../web-address.ts';

/** The upstream and the storage behind it. */
export const LEADWAY_VARIABLES = {
  LEADWAY_BASE_URL: setting(parseBaseUrl, {
    default: 'https://services.leadconnectorhq.com',
    example: 'https://services.leadconnectorhq.com',
    doc: 'where Leadway is; the only host that the token is sent to',
  }),
  LEADWAY_API_VERSION: setting(matching(/^(\d{4}-\d{2}-\d{2}|v\d{1,2})$/, 'a date (YYYY-MM-DD) or v3'), {
    default: '2021-07-28',
    example: '2021-07-28',
    doc: 'the Version header of every call to Leadway',
  }),
  LEADWAY_TOKEN: optional(parseToken, {
    example: 'pit-00000000-0000-0000-0000-000000000000',
    doc: 'bearer token of the single location; two during a rotation: new,old',
    secret: true,
  }),
  LEADWAY_LOCATION_ID: optional(parseLocationId, {
    example: 'exampleLocation00001',
    doc: 'the single location, which LEADWAY_TOKEN belongs to',
  }),
  LEADWAY_TOKENS_FILE: optional(matching(/^[^\0]+$/, 'the path of a file'), {
    example: '/run/secrets/leadway-tokens.json',
    doc: 'JSON file of {"locationId": "token"} for several locations, instead of the two above',
  }),
  SANDBOX: setting(oneOf('auto', 'on', 'off'), {
    default: 'auto',
    example: 'on',
    doc: 'embedded stand-in for Leadway; auto is on when no token is set outside production',
  }),
  UPSTREAM_TIMEOUT_MS: setting(integer(10, 3_600_000), {
    default: '60000',
    example: '120000',
    doc: 'no progress from Leadway or storage for this long ends the call with 504',
  }),
  STORAGE_ORIGINS: setting(listOf(parseOriginPattern), {
    default: 'https://storage.googleapis.com,https://*.storage.googleapis.com',
    example: 'https://storage.googleapis.com',
    doc: 'where signed URLs may point; http only when listed',
  }),
  HTTPS_PROXY: optional(parseProxyUrl, {
    example: 'http://proxy.example.com:3128',
    doc: 'the proxy for calls to https addresses: Leadway, storage and the token issuer',
    secret: true,
    alias: 'https_proxy',
  }),
  HTTP_PROXY: optional(parseProxyUrl, {
    example: 'http://proxy.example.com:3128',
    doc: 'the proxy for calls to http addresses',
    secret: true,
    alias: 'http_proxy',
  }),
  NO_PROXY: optional(parseNoProxy, {
    example: '.internal.example.com,10.0.0.0/8',
    doc: 'hosts that are reached without the proxy; this machine always is',
    alias: 'no_proxy',
  }),
  NODE_EXTRA_CA_CERTS: optional(matching(/^[^\0]+$/, 'the path of a file'), {
    example: '/etc/ssl/certs/company-ca.pem',
    doc: 'certificates of authorities to trust besides the usual ones, in PEM; read by Node itself at start',
  }),
  PASSTHROUGH: optional(listOf(parsePassthroughRule), {
    example: 'POST /conversations/messages,GET /conversations/:id',
    doc: 'other Leadway calls that are proxied',
  }),
};
