import { type Checks, checkTransport, isMalformed, report, reportUnused } from './checks.ts';
import type { VariableName } from './env.ts';

/** How clients are told apart (`AUTH` and the variables of the kind chosen). */
export type AuthConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt';
      /** Compared with `iss` as it stands, so a trailing slash counts. */
      readonly issuer: string;
      readonly audience: string;
      /** `null`: discovered from the issuer. */
      readonly jwksUrl: URL | null;
      readonly cookie: string | null;
      readonly locationsClaim: string;
    }
  | { readonly kind: 'header'; readonly userHeader: string; readonly locationsHeader: string | null }
  | { readonly kind: 'sso'; readonly sessionTtlMs: number };

const VARIABLES_OF = {
  jwt: [
    'AUTH_JWT_ISSUER',
    'AUTH_JWT_AUDIENCE',
    'AUTH_JWT_JWKS_URL',
    'AUTH_JWT_COOKIE',
    'AUTH_JWT_LOCATIONS_CLAIM',
  ],
  header: ['AUTH_USER_HEADER', 'AUTH_LOCATIONS_HEADER'],
  sso: ['SSO_SHARED_SECRET', 'SESSION_SECRETS', 'SESSION_TTL_MS'],
} as const satisfies Readonly<Record<Exclude<AuthConfig['kind'], 'none'>, readonly VariableName[]>>;

const REQUIRED_BY = {
  none: [],
  jwt: ['AUTH_JWT_ISSUER', 'AUTH_JWT_AUDIENCE'],
  header: ['TRUST_PROXY'],
  sso: ['SSO_SHARED_SECRET', 'SESSION_SECRETS'],
} as const satisfies Readonly<Record<AuthConfig['kind'], readonly VariableName[]>>;

/** How clients are told apart, with every variable of the other kinds rejected. */
export function resolveAuth(checks: Checks): AuthConfig {
  const { values, given } = checks.environment;
  const wellFormed = values.AUTH !== null;
  if (checks.production && !given.has('AUTH')) {
    report(checks, 'AUTH', 'must be set in production: none, jwt, header or sso');
  }
  // What else is set can be judged only once the kind is known.
  if (wellFormed || (!given.has('AUTH') && !checks.production)) checkKind(checks, values.AUTH ?? 'none');
  return buildAuth(checks);
}

function checkKind(checks: Checks, kind: AuthConfig['kind']): void {
  const { given, values } = checks.environment;
  if (kind === 'none' && checks.production) {
    checks.warnings.push('AUTH=none in production: whoever reaches this server may upload');
  }
  for (const [other, names] of Object.entries(VARIABLES_OF)) {
    if (other === kind) continue;
    for (const name of names) reportUnused(checks, name, `AUTH is ${kind}; it belongs to AUTH=${other}`);
  }
  for (const name of REQUIRED_BY[kind]) {
    // `TRUST_PROXY=off` is given and yet nothing.
    const missing = !given.has(name) || (values[name] === null && !isMalformed(checks, name));
    if (missing) report(checks, name, `must be set for AUTH=${kind}`);
  }
  if (kind === 'header' && typeof values.TRUST_PROXY === 'number') {
    checks.warnings.push(
      `AUTH=header with TRUST_PROXY=${values.TRUST_PROXY}: whoever reaches this port is taken for the proxy and can be anyone; give the addresses of the proxy`,
    );
  }
  if (kind !== 'jwt') return;
  const danger = 'whoever stands on the way can sign in as anyone';
  if (values.AUTH_JWT_ISSUER !== null) {
    checkTransport(checks, 'AUTH_JWT_ISSUER', new URL(values.AUTH_JWT_ISSUER), danger);
  }
  if (values.AUTH_JWT_JWKS_URL !== null) {
    checkTransport(checks, 'AUTH_JWT_JWKS_URL', values.AUTH_JWT_JWKS_URL, danger);
  }
}

function buildAuth({ environment: { values } }: Checks): AuthConfig {
  switch (values.AUTH) {
    case 'jwt':
      return {
        kind: 'jwt',
        // Empty only beside a problem that keeps this object from being used.
        issuer: values.AUTH_JWT_ISSUER ?? '',
        audience: values.AUTH_JWT_AUDIENCE ?? '',
        jwksUrl: values.AUTH_JWT_JWKS_URL,
        cookie: values.AUTH_JWT_COOKIE,
        locationsClaim: values.AUTH_JWT_LOCATIONS_CLAIM,
      };
    case 'header':
      return {
        kind: 'header',
        userHeader: values.AUTH_USER_HEADER,
        locationsHeader: values.AUTH_LOCATIONS_HEADER,
      };
    case 'sso':
      return { kind: 'sso', sessionTtlMs: values.SESSION_TTL_MS };
    default:
      return { kind: 'none' };
  }
}
