import { integer, matching, offOr, oneOf } from '../parsers.ts';
import { optional, setting } from '../setting.ts';
import { parseHost, parseSocketPath } from '../web-address.ts';

// No dots, percent signs or double slashes: nothing that two routers might read differently.
const BASE_PATH = /^\/$|^(\/[A-Za-z0-9_-]+)+\/?$/;
const BASE_PATH_WANTED = 'a path that begins with /, of letters, digits, _ and - between single slashes';

/** The process and its listeners. */
export const SERVICE_VARIABLES = {
  // A closed list, because `prod` taken for "not production" would open the sandbox and turn off AUTH.
  NODE_ENV: setting(oneOf('production', 'development', 'test'), {
    default: 'development',
    example: 'production',
    doc: 'production turns off every convenience that is unsafe there',
  }),
  HOST: optional(parseHost, {
    example: '0.0.0.0',
    doc: 'address of the listener; 127.0.0.1 when not set, 0.0.0.0 in production',
  }),
  PORT: setting(integer(0, 65_535), {
    default: '3000',
    example: '8080',
    doc: 'port of the listener; 0 picks a free one',
  }),
  LISTEN: optional(parseSocketPath, {
    example: '/run/leadway-bff/bff.sock',
    doc: 'path of a unix socket to listen on, instead of HOST and PORT; its group may connect',
  }),
  ADMIN_HOST: setting(parseHost, {
    default: '127.0.0.1',
    example: '10.0.0.5',
    doc: 'address of the metrics listener',
  }),
  ADMIN_PORT: optional(offOr(integer(0, 65_535)), {
    example: '9090',
    doc: 'port of the metrics listener; off when not set',
  }),
  BASE_PATH: setting(matching(BASE_PATH, BASE_PATH_WANTED), {
    default: '/api',
    example: '/uploads/api',
    doc: 'prefix of the API; / for none',
  }),
  API_DOCS: setting(oneOf('on', 'off'), {
    default: 'on',
    example: 'off',
    doc: 'whether BASE_PATH/docs and BASE_PATH/openapi.json describe the API to everybody',
  }),
  HSTS_MAX_AGE: setting(integer(0, 1_000_000_000), {
    default: '0',
    example: '31536000',
    doc: 'seconds of Strict-Transport-Security, never with subdomains; 0 leaves it to the proxy in front',
  }),
  LOG_LEVEL: setting(oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), {
    default: 'info',
    example: 'debug',
    doc: 'least severe level that is logged',
  }),
  SHUTDOWN_DELAY_MS: setting(integer(0, 600_000), {
    default: '0',
    example: '10000',
    doc: 'how long requests are still served after SIGTERM, while /readyz is 503 already',
  }),
  SHUTDOWN_GRACE_MS: setting(integer(0, 3_600_000), {
    default: '30000',
    example: '60000',
    doc: 'how long uploads in flight may take to finish after that',
  }),
};
