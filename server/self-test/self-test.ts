import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import type { Config, Secrets } from '../config/config.ts';
import { type AppContext, createContext } from '../context.ts';
import { AppError } from '../errors/app-error.ts';
import { meansNotOffered } from '../leadway/capability.ts';
import { PATHS } from '../leadway/client.ts';
import { type AuthProblem, toAuthProblem } from '../leadway/errors.ts';
import { ExchangeError, type ExchangeResponse } from '../leadway/exchange.ts';
import { connectProblem, explainConnectProblem, isOfTls } from '../leadway/reachability.ts';
import { type LeadwayResponse, maxResponseBytes, parseResponse } from '../leadway/response.ts';
import { createLogger } from '../logger.ts';
import { formatClamavAddress, ping } from '../scan/clamd.ts';
import { descriptorsNeeded, MAX_SKEW_MS, readDescriptorLimit } from '../start-checks.ts';
import { createMultipartEncoder } from '../uploads/multipart-encoder.ts';
import type { CheckResult, SelfTestReport } from './report.ts';

/** What {@link runSelfTest} takes. */
export interface SelfTestOptions {
  /** A conversation for the checks that store files; null leaves those out. */
  readonly conversationId: string | null;
  /** Ends the self-test, in milliseconds. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
const MAX_ORIGINS = 3;
const CALL_TIMEOUT_MS = 10_000;
const MAX_CALLS = 12;
/** Each location costs a call. */
const MAX_LOCATIONS = 3;
const CERTIFICATE_WARNING_DAYS = 14;
const DAY_MS = 24 * 3_600_000;

const TOKEN_FIXES: Readonly<Record<AuthProblem, string>> = {
  'bad-token': 'It is wrong, expired or revoked: put a valid one in LEADWAY_TOKEN',
  'missing-scope': 'It lacks the scope conversations/message.write: add it and use the new token',
  'token-kind': 'Use a Private Integration Token of the sub-account',
};

/** Checks whether uploads can work with these settings. Nothing at Leadway changes unless a conversation is named. */
export async function runSelfTest(
  config: Config,
  secrets: Secrets,
  { conversationId, timeoutMs = TIMEOUT_MS }: SelfTestOptions,
): Promise<SelfTestReport> {
  const silent = createLogger({ level: 'silent', destination: { write: () => {} } });
  await using context = createContext(config, secrets, silent);
  const test = new SelfTest(context, AbortSignal.timeout(timeoutMs));
  await test.run(conversationId);
  return test.report();
}

class SelfTest {
  readonly #context: AppContext;
  readonly #signal: AbortSignal;
  readonly #checks: CheckResult[] = [{ name: 'settings', status: 'ok', message: 'all of them are valid' }];
  readonly #settings: Record<string, string> = {};
  #calls = 0;

  constructor(context: AppContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  async run(conversationId: string | null): Promise<void> {
    const checkUpstream = async (): Promise<void> => {
      if (await this.#checkName()) await this.#checkLeadway(conversationId);
    };
    await this.#attempt('leadway', checkUpstream);
    await this.#attempt('redis', () => this.#checkRedis());
    await this.#attempt('clamd', () => this.#checkClamd());
    this.#checkDescriptors();
    this.#checkProxyTrust();
  }

  /** Turns what a check throws into its failure. */
  async #attempt(name: string, check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      if (this.#signal.aborted)
        this.#fail(name, 'the time was over before a response came', 'Try again later');
      else if (error instanceof ExchangeError) this.#failConnection(name, error);
      else this.#fail(name, error instanceof Error ? error.message : String(error), 'Try again later');
    }
  }

  report(): SelfTestReport {
    const ok = this.#checks.every(({ status }) => status !== 'failed');
    return { ok, checks: this.#checks, settings: this.#settings };
  }

  #ok(name: string, message: string): void {
    this.#checks.push({ name, status: 'ok', message });
  }

  #fail(name: string, message: string, fix: string): void {
    this.#checks.push({ name, status: 'failed', message, fix });
  }

  #unknown(name: string, message: string): void {
    this.#checks.push({ name, status: 'unknown', message });
  }

  /** Returns whether the name of Leadway's host can be looked up, or need not be. */
  async #checkName(): Promise<boolean> {
    const { baseUrl } = this.#context.config.leadway;
    const proxy = this.#context.proxyFor(baseUrl);
    const host = baseUrl.hostname.replace(/^\[|\]$/g, '');
    if (proxy !== null) {
      this.#unknown('dns', `the proxy ${proxy.shown} looks up ${host}`);
    } else if (isIP(host) === 0) {
      try {
        const addresses = await dns.lookup(host, { all: true });
        this.#ok('dns', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
      } catch (error) {
        return this.#failConnection('dns', error);
      }
    } else {
      this.#ok('dns', `${host} is an address`);
    }
    return true;
  }

  /** A response came, so there was a connection. */
  async #checkConnection(): Promise<void> {
    const { baseUrl } = this.#context.config.leadway;
    const { host, hostname, protocol, port } = baseUrl;
    const proxy = this.#context.proxyFor(baseUrl);
    this.#ok('tcp', `${host} takes connections${proxy === null ? '' : ` through the proxy ${proxy.shown}`}`);
    if (protocol !== 'https:') this.#unknown('tls', `${host} is reached without TLS`);
    else if (proxy !== null) this.#ok('tls', 'the certificate is valid');
    else await this.#checkCertificate(hostname.replace(/^\[|\]$/g, ''), Number(port || 443));
  }

  #failConnection(name: string, error: unknown): false {
    const { baseUrl } = this.#context.config.leadway;
    const cause = error instanceof ExchangeError ? error.cause : error;
    const proxy = this.#context.proxyFor(baseUrl);
    const { cause: why, fix } = connectProblem(cause, {
      host: baseUrl.host,
      setting: 'LEADWAY_BASE_URL',
      proxy: proxy?.shown ?? null,
    });
    this.#fail(name, `${baseUrl.host} can’t be reached: ${why}`, fix.replace(/\.$/, ''));
    return false;
  }

  async #checkCertificate(host: string, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = tls.connect({ host, port, ...(isIP(host) === 0 && { servername: host }) });
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate().valid_to));
    socket.once('error', reject);
    this.#signal.addEventListener('abort', () => reject(this.#signal.reason), { once: true });
    try {
      const days = Math.floor((Date.parse(await promise) - Date.now()) / DAY_MS);
      if (days < CERTIFICATE_WARNING_DAYS) {
        this.#fail('tls', `the certificate of ${host} ends in ${days} days`, 'Have it renewed');
      } else {
        this.#ok('tls', `the certificate of ${host} is valid for ${days} days`);
      }
    } catch (error) {
      this.#failConnection('tls', error);
    } finally {
      socket.destroy();
    }
  }

  async #checkLeadway(conversationId: string | null): Promise<void> {
    const { locationIds } = this.#context.config.leadway;
    const [first] = locationIds;
    let isAccepted = true;
    for (const locationId of locationIds.slice(0, MAX_LOCATIONS)) {
      // It names no conversation and holds no file, so Leadway rejects it whatever the token may do.
      const form = toForm([['locationId', locationId]]);
      let called: Awaited<ReturnType<SelfTest['call']>>;
      try {
        called = await this.call(PATHS.upload, locationId, form);
      } catch (error) {
        if (error instanceof AppError) {
          const fix = 'Check LEADWAY_BASE_URL';
          this.#fail('token', 'what responds there is not Leadway’s API', fix);
          return;
        }
        const { code = '' } = (error instanceof ExchangeError ? error.cause : error) as NodeJS.ErrnoException;
        this.#failConnection(isOfTls(code) && code !== 'ECONNRESET' ? 'tls' : 'tcp', error);
        return;
      }
      const { raw, response } = called;
      if (locationId === first) {
        await this.#checkConnection();
        this.#checkClock(raw);
        this.#showQuota(raw);
      }
      isAccepted = this.#checkToken(locationId, response) && isAccepted;
    }
    if (locationIds.length > MAX_LOCATIONS) {
      this.#unknown('token', `${locationIds.length - MAX_LOCATIONS} more locations were not checked`);
    }
    if (first === undefined || !isAccepted) return;
    await this.#checkInitiate(first, conversationId);
    if (conversationId !== null) await this.#checkUploads(first, conversationId);
  }

  #checkToken(locationId: string, response: LeadwayResponse): boolean {
    const where = `the token of location ${locationId}`;
    if (response.ok) {
      this.#ok('token', `Leadway accepts ${where}`);
      return true;
    }
    const { rejection, status } = response;
    if (rejection.isWebPage) {
      const fix = 'Ask Leadway’s support whether it blocks this network';
      this.#fail('token', `a firewall or CDN responded with a page (status ${status})`, fix);
    } else if (status === 401) {
      this.#fail('token', `Leadway rejects ${where}`, TOKEN_FIXES[toAuthProblem(rejection)]);
    } else if (status === 403) {
      const fix = 'Check LEADWAY_LOCATION_ID and the token';
      this.#fail('token', `${where} has no access to that location`, fix);
    } else if (status === 429) {
      this.#unknown('token', 'Leadway accepts no more requests for now');
      return false;
    } else if (status >= 500 || status === 404) {
      this.#fail(
        'token',
        `Leadway responded with status ${status}`,
        'Check LEADWAY_BASE_URL, or try again later',
      );
    } else {
      this.#ok('token', `Leadway accepts ${where}`);
      return true;
    }
    return false;
  }

  #checkClock({ headers }: ExchangeResponse): void {
    const date = Date.parse(headers.date ?? '');
    if (Number.isNaN(date)) {
      this.#unknown('clock', 'Leadway’s response has no date');
      return;
    }
    const skewMs = Date.now() - date;
    if (Math.abs(skewMs) <= MAX_SKEW_MS) {
      this.#ok('clock', 'it agrees with Leadway’s');
      return;
    }
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    const message = `this machine’s clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} Leadway’s`;
    this.#fail('clock', message, 'Set it by NTP: tickets, tokens and signed URLs depend on it');
  }

  #showQuota({ headers }: ExchangeResponse): void {
    const max = headers['x-ratelimit-max'];
    const interval = Number(headers['x-ratelimit-interval-milliseconds'] ?? Number.NaN);
    const daily = headers['x-ratelimit-limit-daily'];
    if (max === undefined) {
      this.#unknown('quota', 'Leadway’s response does not tell it');
      return;
    }
    const perDay = daily === undefined ? '' : ` and ${daily} a day`;
    this.#ok('quota', `${max} calls in ${interval / 1000} s${perDay} for each location`);
  }

  async #checkInitiate(locationId: string, conversationId: string | null): Promise<void> {
    const asked = {
      locationId,
      ...(conversationId !== null && { conversationId }),
      filename: 'self-test.txt',
      contentType: 'text/plain',
      channel: this.#context.config.uploads.defaultChannel,
      fileSize: 2,
    };
    const { response } = await this.call(PATHS.initiate, locationId, toJson(asked));
    if (!response.ok && meansNotOffered(response.rejection)) {
      this.#unknown('initiate', 'Leadway offers no signed URLs to this token, so files are forwarded');
      return;
    }
    if (!response.ok && response.status !== 400 && response.status !== 422) {
      const fix = 'Try again later; files that can be forwarded are not concerned';
      this.#fail('initiate', `Leadway responded with status ${response.status}`, fix);
      return;
    }
    this.#ok('initiate', 'Leadway offers signed URLs');
    const url = response.ok ? response.json['uploadUrl'] : undefined;
    if (typeof url === 'string' && URL.canParse(url)) await this.#checkStorage(new URL(url));
    else this.#unknown('storage', 'only a signed URL shows it: add --write --conversation ID');
  }

  async #checkStorage(url: URL): Promise<void> {
    const signed = url.searchParams.get('X-Goog-SignedHeaders') ?? '';
    const names = signed.split(';').filter((name) => name !== '' && name !== 'host');
    this.#ok('storage', `signed URLs bind ${names.length === 0 ? 'no header' : names.join(' and ')}`);
    for (const origin of this.#context.config.origins.allowed.slice(0, MAX_ORIGINS)) {
      try {
        const response = await fetch(url, {
          method: 'OPTIONS',
          redirect: 'manual',
          signal: this.#signal,
          headers: {
            Origin: origin,
            'Access-Control-Request-Method': 'PUT',
            'Access-Control-Request-Headers': 'content-type',
          },
        });
        await response.body?.cancel();
        const allowed = response.headers.get('Access-Control-Allow-Origin');
        if (allowed === '*' || allowed === origin) this.#ok('cors', `storage takes uploads from ${origin}`);
        else this.#fail('cors', `storage takes no uploads from pages of ${origin}`, 'Use mode=relay there');
      } catch (error) {
        this.#fail(
          'storage',
          explainConnectProblem(error instanceof Error ? (error.cause ?? error) : error, {
            host: url.host,
            setting: null,
            proxy: this.#context.proxyFor(url)?.shown ?? null,
          }).replace(/\.$/, ''),
          'Browsers may still reach it: check from one of them',
        );
        return;
      }
    }
  }

  /** What nobody can tell from outside. Each of these calls stores a small file, or one of 5 MB. */
  async #checkUploads(locationId: string, conversationId: string): Promise<void> {
    const fields: [string, string][] = [
      ['conversationId', conversationId],
      ['locationId', locationId],
    ];
    const send = async (more: readonly [string, string][], bytes: number, isChunked: boolean) => {
      const form = toForm([...fields, ...more], Buffer.alloc(bytes, 'self-test '));
      return isChunked
        ? this.#stream(locationId, form)
        : (await this.call(PATHS.upload, locationId, form)).response;
    };
    const plain = await send([], 100, false);
    if (!plain.ok) {
      const { message, status } = plain.rejection;
      const fix = 'Check that the conversation exists in the first location';
      this.#fail('upload', `Leadway rejected a file of 100 bytes (status ${status}: ${message})`, fix);
      return;
    }
    this.#ok('upload', 'Leadway takes a file');
    const chunked = await send([], 100, true);
    if (chunked.ok) this.#ok('chunked', 'Leadway takes uploads of unknown length');
    else {
      this.#unknown(
        'chunked',
        'Leadway wants to know the length of an upload in advance: send the field fileSize',
      );
      this.#settings['FORWARD_HOLD_BYTES'] = '5242880';
    }
    const empty = await send([['attachmentUrls', '']], 100, false);
    this.#ok('attachmentUrls', `Leadway ${empty.ok ? 'takes' : 'rejects'} an empty one`);
    const binary = await send([], 5 * 1024 * 1024, false);
    if (binary.ok) this.#settings['FORWARD_MAX_BYTES'] = '5242880';
    else if ((await send([], 5_000_000, false)).ok) this.#settings['FORWARD_MAX_BYTES'] = '5000000';
    const limit = this.#settings['FORWARD_MAX_BYTES'];
    if (limit === undefined) this.#unknown('limit', 'Leadway rejects a file of 5,000,000 bytes');
    else this.#ok('limit', `Leadway takes a file of ${limit} bytes`);
  }

  async #checkRedis(): Promise<void> {
    const store = this.#context.sharedStore;
    if (store === null) {
      this.#unknown('redis', 'REDIS_URL is not set: each process has limits of its own');
      return;
    }
    const deadline = performance.now() + 3_000;
    while (!store.isUp && performance.now() < deadline && !this.#signal.aborted) await sleep(20);
    if (!store.isUp) {
      return this.#fail(
        'redis',
        'Redis does not respond or takes no writes',
        'Check REDIS_URL and that server',
      );
    }
    const startedAt = performance.now();
    await store.send('PING');
    const ms = Math.max(1, Math.round(performance.now() - startedAt));
    const info = String(await store.send('INFO', 'server'));
    const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown';
    this.#ok('redis', `version ${version} responds within ${ms} ms`);
  }

  async #checkClamd(): Promise<void> {
    const { address } = this.#context.config.clamav;
    if (address === null) {
      this.#unknown('clamd', 'CLAMAV_URL is not set: files are not scanned');
      return;
    }
    const where = formatClamavAddress(address);
    try {
      await ping(address);
      this.#ok('clamd', `${where} responds`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail('clamd', `${where} does not respond: ${reason}`, 'Check CLAMAV_URL and clamd');
    }
  }

  #checkDescriptors(): void {
    const { maxConcurrent } = this.#context.config.uploads;
    const needed = descriptorsNeeded(maxConcurrent);
    const limit = readDescriptorLimit();
    if (limit === null) this.#unknown('descriptors', 'this system does not tell their limit');
    else if (limit >= needed) this.#ok('descriptors', `${limit} are allowed, and ${needed} are needed`);
    else {
      const message = `${limit} are allowed, and MAX_CONCURRENT_UPLOADS=${maxConcurrent} needs ${needed}`;
      this.#fail('descriptors', message, `Raise the limit (ulimit -n ${needed}, LimitNOFILE=${needed})`);
    }
  }

  #checkProxyTrust(): void {
    const { trustProxy, production } = this.#context.config;
    if (trustProxy) {
      this.#ok('proxy', 'forwarded headers of the proxies in TRUST_PROXY are believed');
      return;
    }
    const message = 'TRUST_PROXY is off: no forwarded header is believed';
    this.#unknown('proxy', production ? `${message}, and behind a proxy all clients count as one` : message);
  }

  /** @throws ExchangeError */
  async call(path: string, locationId: string, { contentType, content }: Body) {
    this.#countCall();
    const { agent, uploads, config } = this.#context;
    const { leadway } = uploads;
    const raw = await agent.exchange({
      method: 'POST',
      url: config.leadway.baseUrl,
      path,
      headers: [...leadway.headers(leadway.options.tokens.current(locationId)), 'Content-Type', contentType],
      body: content,
      timeoutMs: CALL_TIMEOUT_MS,
      signal: this.#signal,
      connection: 'fresh',
      maxBytes: maxResponseBytes,
    });
    return { raw, response: parseResponse(raw.status, raw.headers, raw.body) };
  }

  /** Sends a form without a `Content-Length`. */
  async #stream(locationId: string, { contentType, content }: Body): Promise<LeadwayResponse> {
    this.#countCall();
    const failed = Promise.withResolvers<never>();
    const request = this.#context.uploads.leadway.openUpload(null, {
      locationId,
      contentType,
      signal: this.#signal,
      log: {},
      fail: failed.reject,
    });
    return Promise.race([request.commit([Buffer.from(content)]), failed.promise]);
  }

  #countCall(): void {
    this.#calls += 1;
    if (this.#calls > MAX_CALLS) throw new TypeError(`more than ${MAX_CALLS} calls`);
  }
}

interface Body {
  readonly contentType: string;
  readonly content: Buffer | string;
}

function toJson(value: object): Body {
  return { contentType: 'application/json', content: JSON.stringify(value) };
}

function toForm(fields: readonly [string, string][], file: Buffer | null = null): Body {
  const encoder = createMultipartEncoder();
  const text = fields.map(([name, value]) => encoder.field(name, value)).join('');
  const part =
    file === null
      ? []
      : [
          Buffer.from(encoder.fileHead('fileAttachment', 'self-test.txt', 'text/plain')),
          file,
          Buffer.from(encoder.fileTail),
        ];
  return {
    contentType: encoder.contentType,
    content: Buffer.concat([Buffer.from(text), ...part, Buffer.from(encoder.closing)]),
  };
}
