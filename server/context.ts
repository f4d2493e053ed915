import { randomBytes } from 'node:crypto';
import { createAuthServices, createEmbeddedAuthenticator } from './auth/auth-services.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { Sessions } from './auth/sessions.ts';
import type { Config, Secrets } from './config/config.ts';
import { createUploadHooks, type Embedding } from './embedding.ts';
import { createTypePolicy, type TypePolicy } from './file-types/file-types.ts';
import { LingeringClose } from './http/lingering-close.ts';
import { createProxyFor, type ProxyFor } from './http/outbound-proxy.ts';
import { createIdempotency, type Idempotency } from './idempotency/idempotency.ts';
import { createLocalIdempotencyStore, createSharedIdempotencyStore } from './idempotency/store.ts';
import { createUpstreamAgent, type UpstreamAgent } from './leadway/agent.ts';
import { createDirectCapability, type DirectCapability } from './leadway/capability.ts';
import { LeadwayClient } from './leadway/client.ts';
import { createUpstreamQuota, toQuotaLeft, type UpstreamQuota } from './leadway/quota.ts';
import { createProbe, createReachability, type Reachability } from './leadway/reachability.ts';
import { createSizeLimits, type SizeLimits } from './leadway/size-limits.ts';
import { createTokenStore, type TokenStore } from './leadway/token-store.ts';
import { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import { Observers } from './observability/observer.ts';
import { createUserHash } from './redaction.ts';
import { openSharedStore, type SharedStore } from './redis/store.ts';
import { createScanner, type Scanner } from './scan/scanner.ts';
import {
  addStartChecks,
  type ClockCheck,
  createClockCheck,
  createTokenCheck,
  type TokenCheck,
} from './start-checks.ts';
import { DirectUploads } from './uploads/direct.ts';
import { locationsOfClient } from './uploads/locations.ts';
import { createClientSlots, createSlots, type Slots } from './uploads/slots.ts';
import { createTicketCodec, type TicketCodec } from './uploads/tickets.ts';
import type { UploadContext } from './uploads/upload.ts';

/** What routes and middleware are made of; each asks for the parts that it uses. */
export interface AppContext extends AsyncDisposable {
  readonly config: Config;
  readonly logger: Logger;
  readonly lifecycle: Lifecycle;
  /** Whether Leadway takes the tokens, as far as is known; `unreadable` while their file can't be used. */
  tokenHealth(): 'ok' | 'rejected' | 'unreadable';
  /** Notified of what happens, for metrics. */
  readonly observers: Observers;
  /** API calls in flight. */
  readonly activity: { requests: number };
  /** Connections whose response came before the body had arrived. */
  readonly lingering: LingeringClose;
  readonly sharedStore: SharedStore | null;
  readonly authenticator: Authenticator;
  /** What stands for a user in the log. */
  readonly userHash: (userId: string) => string;
  /** Where clients begin their session here (`AUTH=sso`). */
  readonly sessions: Sessions | null;
  /** Whether clients authenticate with credentials that could be guessed. */
  readonly hasCredentials: boolean;
  /** The one decision on proxies, for whatever calls out. */
  readonly proxyFor: ProxyFor;
  readonly agent: UpstreamAgent;
  /** Finds out in the background whether Leadway can be reached, and then whether it takes the tokens. */
  readonly probeLeadway: () => void;
  readonly capability: DirectCapability;
  readonly direct: DirectUploads;
  readonly tickets: TicketCodec;
  readonly slots: Slots;
  readonly idempotency: Idempotency;
  readonly policy: TypePolicy;
  readonly uploads: UploadContext;
  /** Reads the file of the tokens again. Resolves to its path, or null. */
  rereadTokens(): Promise<string | null>;
}

/** Makes the services of one process from its configuration. */
export function createContext(
  config: Config,
  secrets: Secrets,
  logger: Logger,
  embedding: Embedding = {},
): AppContext {
  const { uploads: limits } = config;
  const resources = new AsyncDisposableStack();
  const sharedStore =
    secrets.redisUrl === null ? null : resources.use(openSharedStore(secrets.redisUrl.reveal(), logger));
  const clientSlots =
    sharedStore === null ? null : resources.use(createClientSlots({ store: sharedStore, logger }));
  const proxyFor = createProxyFor(secrets, config.outbound.noProxy);
  const reachability = createReachability(config.leadway.baseUrl, logger);
  const agent = resources.use(
    createUpstreamAgent({
      proxyFor,
      onConnected: reachability.noteConnected,
      onUnreachable: reachability.noteUnreachable,
    }),
  );
  const probeAgent = resources.use(
    createUpstreamAgent({
      proxyFor,
      onConnected: reachability.noteConnected,
      onUnreachable: (host, error, proxy) => reachability.noteUnreachable(host, error, proxy, 'probe'),
    }),
  );
  const { authenticator, sessions } =
    embedding.authenticate === undefined
      ? resources.use(createAuthServices(config, secrets, { store: sharedStore, agent, logger }))
      : { authenticator: createEmbeddedAuthenticator(embedding.authenticate), sessions: null };
  const tokens = resources.use(
    createTokenStore({
      secrets,
      singleLocationId: config.leadway.singleLocationId,
      logger,
      onChanged: () => {
        tokenCheck.reset();
        tokenCheck.start();
      },
    }),
  );
  const tokenCheck = resources.use(
    createTokenCheck({
      locationIds: config.leadway.locationIds,
      check: (locationId, signal) => leadway.checkToken(locationId, signal),
    }),
  );
  const probeLeadway = createProbe({
    agent: probeAgent,
    baseUrl: config.leadway.baseUrl,
    onConnected: () => tokenCheck.start(),
  });
  const observers = new Observers();
  const clock = createClockCheck(logger);
  const quota = observeQuota(createUpstreamQuota({ store: sharedStore, logger }), {
    observers,
    clock,
    tokenCheck,
  });
  const leadway = new LeadwayClient({
    baseUrl: config.leadway.baseUrl,
    apiVersion: config.leadway.apiVersion,
    timeoutMs: config.upstreamTimeoutMs,
    tokens,
    quota,
    agent,
    logger,
  });
  const sealingSecrets = ticketSecrets(secrets);
  const tickets = createTicketCodec(sealingSecrets);
  const capability = createDirectCapability(logger);
  const policy = createTypePolicy(limits.allowedExtensions);
  const direct = new DirectUploads({
    leadway,
    tickets,
    capability,
    storageOrigins: config.storageOrigins,
    basePath: config.basePath,
  });
  const scanner =
    config.clamav.address === null
      ? null
      : createScanner({
          address: config.clamav.address,
          onError: config.clamav.onError,
          timeoutMs: config.upstreamTimeoutMs,
          logger,
          onScanned: (outcome, ms) => observers.scanEnded(outcome, ms),
        });
  const slots = createSlots(
    { max: limits.maxConcurrent, maxPerClient: limits.maxConcurrentPerClient },
    clientSlots,
  );
  const sizeLimits = createSizeLimits({
    maxBytes: Math.max(config.forward.maxBytes, config.forward.fallbackMaxBytes),
    store: sharedStore,
    logger,
  });
  const lifecycle = new Lifecycle();
  addStartChecks({ config, secrets, lifecycle, logger });
  addReadiness(lifecycle, {
    config,
    sharedStore,
    reachability,
    probeLeadway,
    leadway,
    sizeLimits,
    clock,
    tokens,
    authenticator,
    scanner,
  });
  return {
    config,
    logger,
    lifecycle,
    sharedStore,
    authenticator,
    userHash: createUserHash(sealingSecrets[0]),
    sessions,
    hasCredentials: config.auth.kind !== 'none' || embedding.authenticate !== undefined,
    tokenHealth: () =>
      tokens.problem() !== null ? 'unreadable' : leadway.authProblem() !== null ? 'rejected' : 'ok',
    observers,
    activity: { requests: 0 },
    lingering: resources.use(new LingeringClose()),
    proxyFor,
    agent,
    probeLeadway,
    capability,
    direct,
    tickets,
    policy,
    slots,
    idempotency: createIdempotency(
      sharedStore === null ? createLocalIdempotencyStore() : createSharedIdempotencyStore(sharedStore),
      sealingSecrets,
      logger,
    ),
    uploads: {
      leadway,
      direct,
      policy,
      onChecked: (isAccepted, durationMs) => observers.checksEnded(isAccepted, durationMs),
      fileObservers: scanner === null ? [] : [scanner.observe],
      isDirectAllowed: scanner === null || config.clamav.direct === 'allow',
      locationsFor: (client) => locationsOfClient(config.leadway.locationIds, client),
      forward: config.forward,
      sizeLimits,
      maxFiles: limits.maxFiles,
      defaultChannel: limits.defaultChannel,
      strictDelivery: limits.strictDelivery,
      attachmentUrlOrigins: config.attachmentUrlOrigins,
      hooks: createUploadHooks(embedding, logger),
    },
    rereadTokens: () => tokens.reread(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What `/readyz` looks at. */
interface ReadinessParts
  extends Pick<AppContext, 'config' | 'sharedStore' | 'probeLeadway' | 'authenticator'> {
  readonly reachability: Reachability;
  readonly leadway: LeadwayClient;
  readonly sizeLimits: SizeLimits;
  readonly clock: ClockCheck;
  readonly tokens: TokenStore;
  readonly scanner: Scanner | null;
}

/** Adds the checks that make the process not ready, and the notices, to `lifecycle`. */
function addReadiness(
  lifecycle: Lifecycle,
  {
    config,
    sharedStore,
    reachability,
    probeLeadway,
    leadway,
    sizeLimits,
    clock,
    tokens,
    authenticator,
    scanner,
  }: ReadinessParts,
): void {
  if (sharedStore !== null) lifecycle.addNotice(() => sharedStore.problem());
  lifecycle.addNotice(() => {
    const problem = reachability.problem();
    if (problem !== null) probeLeadway(); // no upload may come that would find out
    return problem;
  });
  lifecycle.addNotice(() => {
    const text = leadway.authProblem();
    return text === null ? null : { text, detail: leadway.authDetails() };
  });
  lifecycle.addNotice(() => sizeLimits.notice());
  lifecycle.addNotice(() => clock.problem());
  lifecycle.addNotice(() => tokens.problem());
  lifecycle.addNotice(() => authenticator.notice?.() ?? null);
  if (scanner !== null) {
    // With CLAMAV_ON_ERROR=allow, uploads work without clamd.
    if (config.clamav.onError === 'reject') lifecycle.addCheck(() => scanner.problem());
    else lifecycle.addNotice(() => scanner.problem());
  }
  lifecycle.addCheck(() => authenticator.problem?.() ?? null);
}

/** What learns from Leadway's responses. */
interface ResponseReaders {
  readonly observers: Observers;
  readonly clock: ClockCheck;
  readonly tokenCheck: TokenCheck;
}

/** Looks at the headers of Leadway's responses: what is left of its limits, and its clock. */
function observeQuota(
  quota: UpstreamQuota,
  { observers, clock, tokenCheck }: ResponseReaders,
): UpstreamQuota {
  return {
    ...quota,
    update(locationId, status, headers, attempt) {
      if (!observers.isEmpty) observers.quotaUpdated(locationId, toQuotaLeft(headers));
      clock.note(headers.date);
      tokenCheck.noteResponse(locationId);
      quota.update(locationId, status, headers, attempt);
    },
  };
}

/** Without its own secret, a process makes one: tickets then end with it. */
function ticketSecrets({ ticketSecrets: [first, ...others] }: Secrets): [string, ...string[]] {
  if (first === undefined) return [randomBytes(32).toString('base64url')];
  return [first.reveal(), ...others.map((secret) => secret.reveal())];
}
