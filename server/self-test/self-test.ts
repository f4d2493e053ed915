import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, Secrets } from '../config/config.ts';
import { type AppContext, createContext } from '../context.ts';
import { createLogger } from '../logger.ts';
import { formatClamavAddress, ping } from '../scan/clamd.ts';
import { descriptorsNeeded, readDescriptorLimit } from '../start-checks.ts';
import { LeadwayChecks } from './leadway-checks.ts';
import { Findings, type SelfTestReport } from './report.ts';

/** Options of {@link runSelfTest}. */
export interface SelfTestOptions {
  /** A conversation for the checks that store files; null leaves those out. */
  readonly conversationId: string | null;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long a response of Leadway may take, in milliseconds. */
  readonly callTimeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 10_000;

/** Checks whether uploads can work with these settings. Nothing at Leadway changes unless a conversation is named. */
export async function runSelfTest(
  config: Config,
  secrets: Secrets,
  { conversationId, timeoutMs = TIMEOUT_MS, callTimeoutMs = CALL_TIMEOUT_MS }: SelfTestOptions,
): Promise<SelfTestReport> {
  const silent = createLogger({ level: 'silent', destination: { write: () => {} } });
  await using context = createContext(config, secrets, silent);
  const found = new Findings();
  found.ok('settings', 'all of them are valid');
  const signal = AbortSignal.timeout(timeoutMs);
  const leadway = new LeadwayChecks(context, found, { signal, callTimeoutMs });
  await new SelfTest(context, found, signal).run(() => leadway.run(conversationId));
  return found.report();
}

class SelfTest {
  readonly #context: AppContext;
  readonly #found: Findings;
  readonly #signal: AbortSignal;

  constructor(context: AppContext, found: Findings, signal: AbortSignal) {
    this.#context = context;
    this.#found = found;
    this.#signal = signal;
  }

  async run(checkLeadway: () => Promise<void>): Promise<void> {
    await this.#attempt('leadway', checkLeadway);
    await this.#attempt('redis', () => this.#checkRedis());
    await this.#attempt('clamd', () => this.#checkClamd());
    this.#checkDescriptors();
    this.#checkProxyTrust();
  }

  /** Turns what a check throws into its failure, and ends it with the self-test's time. */
  async #attempt(name: string, check: () => Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>();
    const end = (): void => late.reject(this.#signal.reason);
    this.#signal.addEventListener('abort', end);
    try {
      this.#signal.throwIfAborted();
      await Promise.race([check(), late.promise]);
    } catch (error) {
      const message = this.#signal.aborted
        ? 'no response came in time'
        : error instanceof Error
          ? error.message
          : String(error);
      this.#found.fail(name, message, 'Try again later');
    } finally {
      this.#signal.removeEventListener('abort', end);
    }
  }

  async #checkRedis(): Promise<void> {
    const store = this.#context.sharedStore;
    if (store === null) {
      this.#found.unknown('redis', 'REDIS_URL is not set: each process has its own limits');
      return;
    }
    const deadline = performance.now() + 3_000;
    while (!store.isUp && performance.now() < deadline && !this.#signal.aborted) await sleep(20);
    if (!store.isUp) {
      return this.#found.fail(
        'redis',
        'Redis does not respond or takes no writes',
        'Check REDIS_URL and that server',
      );
    }
    const startedAt = performance.now();
    await store.send('PING');
    const ms = Math.max(1, Math.round(performance.now() - startedAt));
    // The server itself does not need INFO, so its user may not be allowed to.
    const info = await store.send('INFO', 'server').catch(() => '');
    const [, version] = /(?:valkey|redis)_version:(\S+)/.exec(String(info)) ?? [];
    this.#found.ok(
      'redis',
      `${version === undefined ? 'it' : `version ${version}`} responds within ${ms} ms`,
    );
  }

  async #checkClamd(): Promise<void> {
    const { address } = this.#context.config.clamav;
    if (address === null) {
      this.#found.unknown('clamd', 'CLAMAV_URL is not set: files are not scanned');
      return;
    }
    const where = formatClamavAddress(address);
    try {
      await ping(address);
      this.#found.ok('clamd', `${where} responds`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#found.fail('clamd', `${where} does not respond: ${reason}`, 'Check CLAMAV_URL and clamd');
    }
  }

  #checkDescriptors(): void {
    const { maxConcurrent } = this.#context.config.uploads;
    const needed = descriptorsNeeded(maxConcurrent);
    const limit = readDescriptorLimit();
    if (limit === null) this.#found.unknown('descriptors', 'this system does not report their limit');
    else if (limit >= needed) this.#found.ok('descriptors', `${limit} are allowed, and ${needed} are needed`);
    else {
      const message = `${limit} are allowed, and MAX_CONCURRENT_UPLOADS=${maxConcurrent} needs ${needed}`;
      this.#found.fail(
        'descriptors',
        message,
        `Raise the limit (ulimit -n ${needed}, LimitNOFILE=${needed})`,
      );
    }
  }

  #checkProxyTrust(): void {
    const { trustProxy, production } = this.#context.config;
    if (trustProxy) {
      this.#found.ok('proxy', 'forwarded headers of the proxies in TRUST_PROXY are believed');
      return;
    }
    const message = 'TRUST_PROXY is off: no forwarded header is believed';
    this.#found.unknown(
      'proxy',
      production ? `${message}, and behind a proxy all clients count as one` : message,
    );
  }
}
