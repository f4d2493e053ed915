import type { ListenAddress } from '../http/listen.ts';
import { isLoopback } from './addresses.ts';
import type { AuthConfig, Derived } from './config.ts';
import type { Environment, Values } from './environment.ts';
import { type ConfigProblem, toChoice } from './parsers.ts';
import { parseLocationTokens, type ReadFile, readSecretFile, type Secret, showPath } from './secrets.ts';
import { AUTH_KINDS, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

/** What the cross-checks share: the variables, read one by one, and the lists that they add to. */
export interface Checks {
  /** A check may adjust a value to others. */
  readonly values: Values;
  readonly environment: Environment;
  readonly production: boolean;
  readonly readFile: ReadFile;
  readonly problems: ConfigProblem[];
  readonly warnings: string[];
}

/** Compares the settings with each other, and makes what depends on more than one of them. */
export function crossCheck(checks: Checks): Derived {
  const derived = {
    production: checks.production,
    listen: checkListen(checks),
    admin: checkAdmin(checks),
    tracesUrl: resolveTraces(checks),
    auth: checkAuth(checks),
    ...checkLeadway(checks),
  };
  checkParts(checks);
  checkLimits(checks);
  checkCertificates(checks);
  warnOfLikelySlips(checks);
  return derived;
}

/** Reports a variable whose value is well-formed and yet not acceptable. */
function report(
  checks: Checks,
  name: SettingName,
  problem: string,
  /** `example`: a value that fits the situation better than the example of the table. */
  more: { readonly example?: string; readonly came?: string } = {},
): void {
  const example = `${name}=${more.example ?? SETTINGS[name].example}`;
  checks.problems.push({ name, problem, example, ...(more.came !== undefined && { came: more.came }) });
}

/** Whether the variable itself is malformed, so that its value, the default, says nothing. */
function isMalformed({ environment }: Checks, name: SettingName): boolean {
  return environment.problems.some((problem) => problem.name === name || problem.name === `${name}_FILE`);
}

/** The name under which a secret was given: `X_FILE` or `X`. */
function nameGiven({ environment }: Checks, name: SettingName): string {
  return environment.files.has(name) ? `${name}_FILE` : name;
}

/** Plain http is for this machine, and elsewhere for development only. */
function checkTransport(checks: Checks, name: SettingName, url: URL, danger: string): void {
  if (url.protocol === 'https:' || isLoopback(url)) return;
  if (checks.production) report(checks, name, `must be https in production: ${danger}`);
  else checks.warnings.push(`${name} is plain http: ${danger}`);
}

/** The setting that `partOf` names, and the value that it must have, if it names one. */
function ownerOf(partOf: string): { readonly owner: SettingName; readonly wanted: string | undefined } {
  const [name, wanted] = partOf.split('=');
  const owner = SETTING_NAMES.find((candidate) => candidate === name);
  if (owner === undefined) throw new TypeError(`${partOf} is not a setting`);
  return { owner, wanted };
}

/** Whether the setting has an effect beside the others. */
export function isInEffect(name: SettingName, values: Values): boolean {
  const { partOf, replacedBy } = SETTINGS[name];
  if (replacedBy !== undefined && values[ownerOf(replacedBy).owner] !== null) return false;
  if (partOf === undefined) return true;
  const { owner, wanted } = ownerOf(partOf);
  return wanted === undefined ? values[owner] !== null : values[owner] === wanted;
}

/** Rejects settings that are given without the one that they are part of: nothing would read them. */
function checkParts(checks: Checks): void {
  const { values, environment, production } = checks;
  for (const name of SETTING_NAMES) {
    const { partOf } = SETTINGS[name];
    if (partOf === undefined || !environment.given.has(name) || isInEffect(name, values)) continue;
    const { owner, wanted } = ownerOf(partOf);
    // AUTH must be set in production, which is reported separately.
    const isUnknown = owner === 'AUTH' && production && !environment.given.has('AUTH');
    if (isUnknown || isMalformed(checks, owner)) continue;
    const hint =
      wanted === undefined
        ? `it belongs to ${owner}, which is ${SETTINGS[owner].unsetText ?? 'not set'}`
        : `${owner} is ${values[owner]}; it belongs to ${partOf}`;
    checks.problems.push({
      name: nameGiven(checks, name),
      problem: `is set but would not be used: ${hint}`,
    });
  }
}

function checkListen({ values, environment, production, warnings }: Checks): ListenAddress {
  // Development often has no authentication: other machines must not reach the server.
  values.HOST ??= production ? '0.0.0.0' : '127.0.0.1';
  const address = { host: values.HOST, port: values.PORT };
  if (values.LISTEN === null) return address;
  const unused = (['HOST', 'PORT'] as const).filter((name) => environment.given.has(name));
  // Not a problem: platforms set PORT whether it is wanted or not.
  if (unused.length > 0) warnings.push(`${unused.join(' and ')} not used: LISTEN is set`);
  return { ...address, path: values.LISTEN };
}

/** OpenTelemetry's rules: the general endpoint is a base that the path of the signal is added to. */
function resolveTraces({ values }: Checks): URL | null {
  if (values.OTEL_SDK_DISABLED === 'true' || values.OTEL_TRACES_EXPORTER === 'none') return null;
  if (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== null) return values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const base = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  return base === null ? null : new URL('v1/traces', base.href.replace(/\/?$/, '/'));
}

function checkAdmin(checks: Checks): Derived['admin'] {
  const { ADMIN_HOST: host, ADMIN_PORT: port, PORT, LISTEN } = checks.values;
  if (port === null) return null;
  if (port !== 0 && port === PORT && LISTEN === null) {
    report(checks, 'ADMIN_PORT', 'must differ from PORT', { came: `${port}` });
  }
  return { host, port };
}

const REQUIRED_BY = {
  none: [],
  jwt: ['AUTH_JWT_ISSUER', 'AUTH_JWT_AUDIENCE'],
  header: ['TRUST_PROXY'],
  sso: ['SSO_SHARED_SECRET', 'SESSION_SECRETS'],
} as const satisfies Readonly<Record<AuthConfig['kind'], readonly SettingName[]>>;

function checkAuth(checks: Checks): AuthConfig {
  const { values, environment, production, warnings } = checks;
  const isGiven = environment.given.has('AUTH');
  if (production && !isGiven) {
    report(checks, 'AUTH', `must be set in production: ${toChoice(AUTH_KINDS)}`);
  }
  // A malformed AUTH must not set off complaints about what it would have meant.
  const isKnown = values.AUTH !== null || (!isGiven && !production);
  values.AUTH ??= 'none';
  if (!isKnown) return { kind: 'none' };
  if (values.AUTH === 'none' && production) {
    warnings.push('AUTH=none in production: anyone who can reach this server may upload');
  }
  for (const name of REQUIRED_BY[values.AUTH]) {
    // `TRUST_PROXY=off` is given and yet nothing.
    const isNothing = values[name] === null || values[name] === false;
    if (!environment.given.has(name) || (isNothing && !isMalformed(checks, name))) {
      report(checks, name, `must be set for AUTH=${values.AUTH}`);
    }
  }
  if (values.AUTH === 'header' && typeof values.TRUST_PROXY === 'number') {
    warnings.push(
      `AUTH=header with TRUST_PROXY=${values.TRUST_PROXY}: anyone who reaches this port is trusted as the proxy and can claim any identity; set the addresses of the proxy`,
    );
  }
  if (values.AUTH === 'jwt') checkIssuer(checks);
  return toAuthConfig(values, values.AUTH);
}

function checkIssuer(checks: Checks): void {
  const { AUTH_JWT_ISSUER: issuer, AUTH_JWT_JWKS_URL: keys } = checks.values;
  const danger = 'anyone on the network path can sign in as any user';
  if (issuer !== null) checkTransport(checks, 'AUTH_JWT_ISSUER', new URL(issuer), danger);
  if (keys !== null) checkTransport(checks, 'AUTH_JWT_JWKS_URL', keys, danger);
}

function toAuthConfig(values: Values, kind: AuthConfig['kind']): AuthConfig {
  switch (kind) {
    case 'jwt':
      return {
        kind,
        // Empty only beside a problem that keeps this object from being used.
        issuer: values.AUTH_JWT_ISSUER ?? '',
        audience: values.AUTH_JWT_AUDIENCE ?? '',
        jwksUrl: values.AUTH_JWT_JWKS_URL,
        cookie: values.AUTH_JWT_COOKIE,
        locationsClaim: values.AUTH_JWT_LOCATIONS_CLAIM,
      };
    case 'header':
      return { kind, userHeader: values.AUTH_USER_HEADER, locationsHeader: values.AUTH_LOCATIONS_HEADER };
    case 'sso':
      return { kind, sessionTtlMs: values.SESSION_TTL_MS };
    case 'none':
      return { kind };
  }
}

/** The upstream, its tokens and locations, or the sandbox in its place. */
function checkLeadway(
  checks: Checks,
): Pick<Derived, 'leadway' | 'sandbox' | 'leadwayToken' | 'locationTokens'> {
  const { values, environment } = checks;
  const sandbox = checkSandbox(checks);
  checkTokens(checks, sandbox);
  const locationTokens = readLocationTokens(checks);
  const tokenIds = [...(locationTokens?.tokens.keys() ?? [])];
  const locationIds = values.LEADWAY_LOCATION_ID === null ? tokenIds : [values.LEADWAY_LOCATION_ID];
  const [singleLocationId = null, ...others] = locationIds;
  const token: Secret | null = values.LEADWAY_TOKEN;
  return {
    leadway: {
      baseUrl: values.LEADWAY_BASE_URL,
      apiVersion: values.LEADWAY_API_VERSION,
      singleLocationId: others.length === 0 ? singleLocationId : null,
      locationIds,
    },
    sandbox,
    leadwayToken:
      token === null ? null : { value: token, file: environment.files.get('LEADWAY_TOKEN') ?? null },
    locationTokens,
  };
}

function checkSandbox(checks: Checks): boolean {
  const { values, environment, production, warnings } = checks;
  const token = tokenGiven(checks);
  // A malformed SANDBOX must not set off complaints about what it would have meant.
  if (isMalformed(checks, 'SANDBOX')) return token === null;
  if (values.SANDBOX === 'auto') values.SANDBOX = token === null && !production ? 'on' : 'off';
  if (values.SANDBOX === 'off') return false;
  if (token !== null) {
    report(checks, 'SANDBOX', `is on together with ${token}: a sandbox takes no real token`, {
      example: 'off',
    });
  }
  if (production) warnings.push('SANDBOX=on in production: uploads go to a stand-in and are lost');
  if (environment.given.has('LEADWAY_BASE_URL')) {
    warnings.push('LEADWAY_BASE_URL has no effect while the sandbox is on');
  }
  return true;
}

function tokenGiven(checks: Checks): string | null {
  const { given } = checks.environment;
  if (given.has('LEADWAY_TOKEN')) return nameGiven(checks, 'LEADWAY_TOKEN');
  return given.has('LEADWAY_TOKENS_FILE') ? 'LEADWAY_TOKENS_FILE' : null;
}

function checkTokens(checks: Checks, sandbox: boolean): void {
  const { given } = checks.environment;
  const several = given.has('LEADWAY_TOKENS_FILE');
  const one = given.has('LEADWAY_TOKEN');
  const tokenName = nameGiven(checks, 'LEADWAY_TOKEN');
  if (several && one) report(checks, 'LEADWAY_TOKENS_FILE', `is set together with ${tokenName}; keep one`);
  if (several && given.has('LEADWAY_LOCATION_ID')) {
    report(checks, 'LEADWAY_LOCATION_ID', 'is set together with LEADWAY_TOKENS_FILE, which names locations');
  }
  if (one && !several && !given.has('LEADWAY_LOCATION_ID')) {
    report(checks, 'LEADWAY_LOCATION_ID', `must name the location that ${tokenName} belongs to`);
  }
  if (sandbox) return;
  if (!one && !several) {
    const where = checks.production ? 'in production' : 'when SANDBOX is off';
    report(
      checks,
      'LEADWAY_TOKEN',
      `must be set ${where} (or LEADWAY_TOKEN_FILE, or LEADWAY_TOKENS_FILE for several locations)`,
    );
  }
  const { LEADWAY_BASE_URL: url } = checks.values;
  checkTransport(checks, 'LEADWAY_BASE_URL', url, 'anyone on the way reads the token');
}

function readLocationTokens({ values, readFile, problems }: Checks): Derived['locationTokens'] {
  const file = values.LEADWAY_TOKENS_FILE;
  if (file === null) return null;
  const name = 'LEADWAY_TOKENS_FILE';
  const example = `a file with {"exampleLocation00001":"pit-…"}`;
  const text = readSecretFile(file, readFile);
  const tokens = text.ok ? parseLocationTokens(text.value) : text;
  if (tokens.ok) return { file, tokens: tokens.value };
  problems.push({ name, problem: `${tokens.problem}: ${showPath(file)}`, example });
  return null;
}

/** Limits that are left to their defaults are adjusted to the others; those that are set and contradict are rejected. */
function checkLimits(checks: Checks): void {
  const { values, environment, warnings } = checks;
  const { FORWARD_MAX_BYTES: maxBytes, MAX_CONCURRENT_UPLOADS: max } = values;
  adjustToForwardMax(checks, 'FORWARD_HOLD_BYTES', 'most', Math.min(values.FORWARD_HOLD_BYTES, maxBytes));
  const fallbackMaxBytes = Math.max(values.FORWARD_FALLBACK_MAX_BYTES, maxBytes);
  adjustToForwardMax(checks, 'FORWARD_FALLBACK_MAX_BYTES', 'least', fallbackMaxBytes);
  const name = 'MAX_CONCURRENT_UPLOADS_PER_CALLER';
  if (environment.given.has(name) && values[name] > max) {
    warnings.push(`${name} is ${values[name]}, but MAX_CONCURRENT_UPLOADS allows ${max}`);
  }
  values[name] = Math.min(values[name], max);
}

function adjustToForwardMax(
  checks: Checks,
  name: 'FORWARD_HOLD_BYTES' | 'FORWARD_FALLBACK_MAX_BYTES',
  bound: 'most' | 'least',
  adjusted: number,
): void {
  const { values, environment } = checks;
  const came = values[name];
  values[name] = adjusted;
  if (!environment.given.has(name) || came === adjusted) return;
  // The default, which stands in for a malformed value, must not be complained about.
  if (isMalformed(checks, name) || isMalformed(checks, 'FORWARD_MAX_BYTES')) return;
  const problem = `must be at ${bound} FORWARD_MAX_BYTES (${values.FORWARD_MAX_BYTES})`;
  report(checks, name, problem, { came: `${came}`, example: `${adjusted}` });
}

function checkCertificates(checks: Checks): void {
  const path = checks.values.NODE_EXTRA_CA_CERTS;
  if (path === null) return;
  try {
    checks.readFile(path);
  } catch {
    // Node only prints a warning, and then trusts no certificate of that authority.
    report(checks, 'NODE_EXTRA_CA_CERTS', 'must name a file that can be read', { came: path });
  }
}

/** Warns of settings that are well-formed and probably not what was meant. */
function warnOfLikelySlips({ values, environment, production, warnings }: Checks): void {
  if (!production) return;
  const timeouts = ['UPLOAD_IDLE_TIMEOUT_MS', 'UPSTREAM_TIMEOUT_MS', 'RATE_LIMIT_WINDOW_MS'] as const;
  for (const name of timeouts) {
    if (values[name] < 1000) warnings.push(`${name} is ${values[name]} milliseconds; were seconds meant?`);
  }
  if (!environment.given.has('STORAGE_ORIGINS')) return;
  const open = values.STORAGE_ORIGINS.some(
    ({ scheme, host }) => scheme === 'http' && !isLoopback(new URL(`http://${host}`)),
  );
  if (open) warnings.push('STORAGE_ORIGINS holds plain http: files and signed URLs can be read on the way');
}
