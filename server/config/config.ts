import { readFileSync } from 'node:fs';
import type { ListenAddress } from '../http/listen.ts';
import type { AuthConfig } from './auth.ts';
import { resolveAuth } from './auth.ts';
import { checkAvailability } from './availability.ts';
import { type Checks, isMalformed, report, reportUnused } from './checks.ts';
import type { ClamavAddress } from './clamav.ts';
import { readEnvironment } from './env.ts';
import { resolveLeadway } from './leadway.ts';
import { resolveForward, resolveUploads, warnOfLikelySlips } from './limits.ts';
import type { OriginPattern } from './origin-pattern.ts';
import { resolveOutbound } from './outbound.ts';
import type { PassthroughRule } from './passthrough.ts';
import type { ConfigProblem } from './problems.ts';
import type { Secrets } from './secrets.ts';

/** Every resolved setting of the process: nested, defaulted, cross-checked and frozen; no secrets in it. */
export interface Config {
  /** `NODE_ENV` is `production`. */
  readonly production: boolean;
  readonly listen: ListenAddress;
  readonly admin: { readonly host: string; readonly port: number } | null;
  /** `/api`; the empty string when `BASE_PATH` is `/`. Never ends with a slash. */
  readonly basePath: string;
  readonly leadway: {
    readonly baseUrl: URL;
    readonly apiVersion: string;
    /** The location of a client who names none. */
    readonly singleLocationId: string | null;
    readonly locationIds: readonly string[];
  };
  readonly sandbox: boolean;
  readonly auth: AuthConfig;
  /** As browsers write them in `Origin`: `https://host[:port]`. */
  readonly origins: { readonly allowed: readonly string[] };
  /** For Express's `trust proxy`. */
  readonly trustProxy: false | number | readonly string[];
  readonly forward: {
    readonly maxBytes: number;
    readonly holdBytes: number;
    readonly fallbackMaxBytes: number;
  };
  readonly uploads: {
    readonly maxFiles: number;
    readonly defaultChannel: string;
    readonly allowedExtensions: readonly string[];
    readonly maxConcurrent: number;
    readonly maxConcurrentPerClient: number;
    readonly idleTimeoutMs: number;
  };
  readonly rateLimit: { readonly max: number; readonly windowMs: number };
  readonly upstreamTimeoutMs: number;
  readonly shutdownDelayMs: number;
  readonly shutdownGraceMs: number;
  readonly outbound: {
    /** Hosts that are reached without the proxy, in lower case. */
    readonly noProxy: readonly string[];
    readonly extraCaCerts: string | null;
  };
  readonly storageOrigins: readonly OriginPattern[];
  readonly attachmentUrlOrigins: readonly string[];
  readonly clamav: ClamavAddress | null;
  readonly log: { readonly level: LogLevel };
  /** Whether `/openapi.json` and `/docs` are served. */
  readonly apiDocs: boolean;
  /** Seconds of `Strict-Transport-Security`; 0 sends none. */
  readonly hstsMaxAgeS: number;
  /** Other Leadway calls that are passed through. */
  readonly passthrough: readonly PassthroughRule[];
}

type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly secrets: Secrets;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export interface LoadOptions {
  /** Reads a secret's file as UTF-8; throws when it can't. */
  readonly readFile?: (path: string) => string;
}

/** Reads, checks and completes the settings; all problems come together, none is papered over by a default. */
export function loadConfig(env: NodeJS.ProcessEnv, options: LoadOptions = {}): LoadedConfig {
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
  const environment = readEnvironment(env, readFile);
  const { values, files } = environment;
  const problems = [...environment.problems];
  const warnings = [...environment.warnings];
  const production = values.NODE_ENV === 'production';
  const checks: Checks = { environment, production, readFile, problems, warnings };

  const { leadway, sandbox, leadwayToken, locationTokens } = resolveLeadway(checks);
  const config: Config = {
    production,
    listen: resolveListen(checks),
    admin: resolveAdmin(checks),
    basePath: values.BASE_PATH.replace(/\/$/, ''),
    leadway,
    sandbox,
    auth: resolveAuth(checks),
    origins: { allowed: values.ALLOWED_ORIGINS ?? [] },
    trustProxy: values.TRUST_PROXY ?? false,
    forward: resolveForward(checks),
    uploads: resolveUploads(checks),
    rateLimit: { max: values.RATE_LIMIT_MAX, windowMs: values.RATE_LIMIT_WINDOW_MS },
    upstreamTimeoutMs: values.UPSTREAM_TIMEOUT_MS,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    shutdownGraceMs: values.SHUTDOWN_GRACE_MS,
    outbound: resolveOutbound(checks),
    storageOrigins: values.STORAGE_ORIGINS,
    attachmentUrlOrigins: values.ATTACHMENT_URL_ORIGINS ?? [],
    clamav: values.CLAMAV_URL,
    log: { level: values.LOG_LEVEL },
    apiDocs: values.API_DOCS === 'on',
    hstsMaxAgeS: values.HSTS_MAX_AGE,
    passthrough: values.PASSTHROUGH ?? [],
  };
  warnOfLikelySlips(checks);
  checkAvailability(checks);
  if (problems.length > 0) return { ok: false, problems };

  const secrets: Secrets = {
    leadwayToken,
    locationTokens,
    ticketSecrets: values.TICKET_SECRETS ?? [],
    sessionSecrets: values.SESSION_SECRETS ?? [],
    ssoSharedSecret: values.SSO_SHARED_SECRET,
    redisUrl: values.REDIS_URL,
    httpsProxy: values.HTTPS_PROXY,
    httpProxy: values.HTTP_PROXY,
    files,
  };
  return { ok: true, config: freeze(config), secrets: freeze(secrets), warnings };
}

function resolveListen(checks: Checks): ListenAddress {
  const { environment, production, warnings } = checks;
  const { values, given } = environment;
  // Development often has no authentication: other machines must not reach the server.
  const address = { host: values.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'), port: values.PORT };
  if (values.LISTEN === null) return address;
  const unused = (['HOST', 'PORT'] as const).filter((name) => given.has(name));
  // Not a problem: platforms set PORT whether it is wanted or not.
  if (unused.length > 0) warnings.push(`${unused.join(' and ')} not used: LISTEN is set`);
  return { ...address, path: values.LISTEN };
}

function resolveAdmin(checks: Checks): Config['admin'] {
  const { values } = checks.environment;
  if (values.ADMIN_PORT !== null) {
    const isTaken = values.ADMIN_PORT !== 0 && values.ADMIN_PORT === values.PORT && values.LISTEN === null;
    if (isTaken) report(checks, 'ADMIN_PORT', 'must differ from PORT', { came: `${values.ADMIN_PORT}` });
    return { host: values.ADMIN_HOST, port: values.ADMIN_PORT };
  }
  if (!isMalformed(checks, 'ADMIN_PORT')) {
    reportUnused(checks, 'ADMIN_HOST', 'it belongs to ADMIN_PORT, which is off');
  }
  return null;
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) freeze(part);
  }
  return Object.freeze(value);
}
