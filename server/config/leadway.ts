import { type Checks, checkTransport, isMalformed, nameGiven, report } from './checks.ts';
import type { Config } from './config.ts';
import { readSecretFile, showPath } from './secret-file.ts';
import { parseLocationTokens } from './secret-parsers.ts';
import type { Secrets } from './secrets.ts';

interface LeadwaySettings {
  readonly leadway: Config['leadway'];
  readonly sandbox: boolean;
  readonly leadwayToken: Secrets['leadwayToken'];
  readonly locationTokens: Secrets['locationTokens'];
}

/** The upstream, its tokens and locations, or the sandbox in its place. */
export function resolveLeadway(checks: Checks): LeadwaySettings {
  const { values, files } = checks.environment;
  const sandbox = resolveSandbox(checks);
  checkTokens(checks, sandbox);
  const locationTokens = readLocationTokens(checks);
  const tokenIds = [...(locationTokens?.tokens.keys() ?? [])];
  const locationIds = values.LEADWAY_LOCATION_ID === null ? tokenIds : [values.LEADWAY_LOCATION_ID];
  const [singleLocationId = null, ...others] = locationIds;
  return {
    leadway: {
      baseUrl: values.LEADWAY_BASE_URL,
      apiVersion: values.LEADWAY_API_VERSION,
      singleLocationId: others.length === 0 ? singleLocationId : null,
      locationIds,
    },
    sandbox,
    leadwayToken:
      values.LEADWAY_TOKEN === null
        ? null
        : { value: values.LEADWAY_TOKEN, file: files.get('LEADWAY_TOKEN') ?? null },
    locationTokens,
  };
}

function resolveSandbox(checks: Checks): boolean {
  const { given, values } = checks.environment;
  const token = tokenGiven(checks);
  // A malformed SANDBOX must not set off complaints about what it would have meant.
  if (isMalformed(checks, 'SANDBOX')) return token === null;
  const sandbox = values.SANDBOX === 'auto' ? token === null && !checks.production : values.SANDBOX === 'on';
  if (!sandbox) return false;
  if (token !== null) {
    report(checks, 'SANDBOX', `is on together with ${token}: a sandbox takes no real token`, {
      example: 'off',
    });
  }
  if (checks.production) {
    checks.warnings.push('SANDBOX=on in production: uploads go to a stand-in and are lost');
  }
  if (given.has('LEADWAY_BASE_URL')) {
    checks.warnings.push('LEADWAY_BASE_URL has no effect while the sandbox is on');
  }
  return true;
}

function tokenGiven(checks: Checks): string | null {
  const { given } = checks.environment;
  if (given.has('LEADWAY_TOKEN')) return nameGiven(checks, 'LEADWAY_TOKEN');
  return given.has('LEADWAY_TOKENS_FILE') ? 'LEADWAY_TOKENS_FILE' : null;
}

function checkTokens(checks: Checks, sandbox: boolean): void {
  const { given, values } = checks.environment;
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
  checkTransport(checks, 'LEADWAY_BASE_URL', values.LEADWAY_BASE_URL, 'anyone on the way reads the token');
}

function readLocationTokens({ environment, readFile, problems }: Checks): Secrets['locationTokens'] {
  const file = environment.values.LEADWAY_TOKENS_FILE;
  if (file === null) return null;
  const name = 'LEADWAY_TOKENS_FILE';
  const example = `a file with {"exampleLocation00001":"pit-…"}`;
  const text = readSecretFile(file, readFile);
  const tokens = text.ok ? parseLocationTokens(text.value) : text;
  if (tokens.ok) return { file, tokens: tokens.value };
  problems.push({ name, problem: `${tokens.problem}: ${showPath(file)}`, example });
  return null;
}
