import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import tls from 'node:tls';
import type { AppContext } from '../context.ts';
import { AppError } from '../errors/app-error.ts';
import { meansNotOffered } from '../leadway/capability.ts';
import { PATHS } from '../leadway/client.ts';
import { type AuthProblem, toAuthProblem } from '../leadway/errors.ts';
import { ExchangeError, type ExchangeResponse } from '../leadway/exchange.ts';
import { connectProblem, explainConnectProblem, isOfTls } from '../leadway/reachability.ts';
import { type LeadwayResponse, maxResponseBytes, parseResponse } from '../leadway/response.ts';
import { MAX_SKEW_MS } from '../start-checks.ts';
import { createMultipartEncoder } from '../uploads/multipart-encoder.ts';
import type { Findings } from './report.ts';

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

/** The checks of Leadway and of its storage: from the look-up of the name to an upload. */
export class LeadwayChecks {
  readonly #context: AppContext;
  readonly #found: Findings;
  readonly #signal: AbortSignal;
  #calls = 0;

  constructor(context: AppContext, found: Findings, signal: AbortSignal) {
    this.#context = context;
    this.#found = found;
    this.#signal = signal;
  }

  /** @param conversationId For the checks that store files; null leaves those out. */
  async run(conversationId: string | null): Promise<void> {
    try {
      if (await this.#checkName()) await this.#checkLeadway(conversationId);
    } catch (error) {
      if (!(error instanceof ExchangeError) || this.#signal.aborted) throw error;
      this.#failConnection('leadway', error);
    }
  }

  /** Returns whether the name of Leadway's host can be looked up, or need not be. */
  async #checkName(): Promise<boolean> {
    const { baseUrl } = this.#context.config.leadway;
    const proxy = this.#context.proxyFor(baseUrl);
    const host = baseUrl.hostname.replace(/^\[|\]$/g, '');
    if (proxy !== null) {
      this.#found.unknown('dns', `the proxy ${proxy.shown} looks up ${host}`);
    } else if (isIP(host) === 0) {
      try {
        const addresses = await dns.lookup(host, { all: true });
        this.#found.ok('dns', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
      } catch (error) {
        return this.#failConnection('dns', error);
      }
    } else {
      this.#found.ok('dns', `${host} is an address`);
    }
    return true;
  }

  /** A response came, so there was a connection. */
  async #checkConnection(): Promise<void> {
    const { baseUrl } = this.#context.config.leadway;
    const { host, hostname, protocol, port } = baseUrl;
    const proxy = this.#context.proxyFor(baseUrl);
    this.#found.ok(
      'tcp',
      `${host} takes connections${proxy === null ? '' : ` through the proxy ${proxy.shown}`}`,
    );
    if (protocol !== 'https:') this.#found.unknown('tls', `${host} is reached without TLS`);
    else if (proxy !== null) this.#found.ok('tls', 'the certificate is valid');
    else await this.#checkCertificate(hostname.replace(/^\[|\]$/g, ''), Number(port || 443));
  }

  /** Reports what kept a connection to Leadway from opening. */
  #failConnection(name: string, error: unknown): false {
    const { baseUrl } = this.#context.config.leadway;
    const cause = error instanceof ExchangeError ? error.cause : error;
    const proxy = this.#context.proxyFor(baseUrl);
    const { cause: why, fix } = connectProblem(cause, {
      host: baseUrl.host,
      setting: 'LEADWAY_BASE_URL',
      proxy: proxy?.shown ?? null,
    });
    this.#found.fail(name, `${baseUrl.host} can’t be reached: ${why}`, fix.replace(/\.$/, ''));
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
        this.#found.fail('tls', `the certificate of ${host} ends in ${days} days`, 'Have it renewed');
      } else {
        this.#found.ok('tls', `the certificate of ${host} is valid for ${days} days`);
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
      let called: { readonly raw: ExchangeResponse; readonly response: LeadwayResponse };
      try {
        called = await this.#call(PATHS.upload, locationId, form);
      } catch (error) {
        if (error instanceof AppError) {
          const fix = 'Check LEADWAY_BASE_URL';
          this.#found.fail('token', 'what responds there is not Leadway’s API', fix);
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
      this.#found.unknown('token', `${locationIds.length - MAX_LOCATIONS} more locations were not checked`);
    }
    if (first === undefined || !isAccepted) return;
    await this.#checkInitiate(first, conversationId);
    if (conversationId !== null) await this.#checkUploads(first, conversationId);
  }

  #checkToken(locationId: string, response: LeadwayResponse): boolean {
    const where = `the token of location ${locationId}`;
    if (response.ok) {
      this.#found.ok('token', `Leadway accepts ${where}`);
      return true;
    }
    const { rejection, status } = response;
    if (rejection.isWebPage) {
      const fix = 'Ask Leadway’s support whether it blocks this network';
      this.#found.fail('token', `a firewall or CDN responded with a page (status ${status})`, fix);
    } else if (status === 401) {
      this.#found.fail('token', `Leadway rejects ${where}`, TOKEN_FIXES[toAuthProblem(rejection)]);
    } else if (status === 403) {
      const fix = 'Check LEADWAY_LOCATION_ID and the token';
      this.#found.fail('token', `${where} has no access to that location`, fix);
    } else if (status === 429) {
      this.#found.unknown('token', 'Leadway accepts no more requests for now');
      return false;
    } else if (status >= 500 || status === 404) {
      this.#found.fail(
        'token',
        `Leadway responded with status ${status}`,
        'Check LEADWAY_BASE_URL, or try again later',
      );
    } else {
      this.#found.ok('token', `Leadway accepts ${where}`);
      return true;
    }
    return false;
  }

  #checkClock({ headers }: ExchangeResponse): void {
    const date = Date.parse(headers.date ?? '');
    if (Number.isNaN(date)) {
      this.#found.unknown('clock', 'Leadway’s response has no date');
      return;
    }
    const skewMs = Date.now() - date;
    if (Math.abs(skewMs) <= MAX_SKEW_MS) {
      this.#found.ok('clock', 'it agrees with Leadway’s');
      return;
    }
    const seconds = Math.round(Math.abs(skewMs) / 1000);
    const message = `this machine’s clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} Leadway’s`;
    this.#found.fail('clock', message, 'Set it by NTP: tickets, tokens and signed URLs depend on it');
  }

  #showQuota({ headers }: ExchangeResponse): void {
    const max = headers['x-ratelimit-max'];
    const interval = Number(headers['x-ratelimit-interval-milliseconds'] ?? Number.NaN);
    const daily = headers['x-ratelimit-limit-daily'];
    if (max === undefined) {
      this.#found.unknown('quota', 'Leadway’s response does not tell it');
      return;
    }
    const perDay = daily === undefined ? '' : ` and ${daily} a day`;
    this.#found.ok('quota', `${max} calls in ${interval / 1000} s${perDay} for each location`);
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
    const { response } = await this.#call(PATHS.initiate, locationId, toJson(asked));
    if (!response.ok && meansNotOffered(response.rejection)) {
      this.#found.unknown('initiate', 'Leadway offers no signed URLs to this token, so files are forwarded');
      return;
    }
    if (!response.ok && response.status !== 400 && response.status !== 422) {
      const fix = 'Try again later; files that can be forwarded are not concerned';
      this.#found.fail('initiate', `Leadway responded with status ${response.status}`, fix);
      return;
    }
    this.#found.ok('initiate', 'Leadway offers signed URLs');
    const url = response.ok ? response.json['uploadUrl'] : undefined;
    if (typeof url === 'string' && URL.canParse(url)) await this.#checkStorage(new URL(url));
    else this.#found.unknown('storage', 'only a signed URL shows it: add --write --conversation ID');
  }

  async #checkStorage(url: URL): Promise<void> {
    const signed = url.searchParams.get('X-Goog-SignedHeaders') ?? '';
    const names = signed.split(';').filter((name) => name !== '' && name !== 'host');
    this.#found.ok('storage', `signed URLs bind ${names.length === 0 ? 'no header' : names.join(' and ')}`);
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
        if (allowed === '*' || allowed === origin)
          this.#found.ok('cors', `storage takes uploads from ${origin}`);
        else
          this.#found.fail(
            'cors',
            `storage takes no uploads from pages of ${origin}`,
            'Use mode=relay there',
          );
      } catch (error) {
        this.#found.fail(
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
        : (await this.#call(PATHS.upload, locationId, form)).response;
    };
    const plain = await send([], 100, false);
    if (!plain.ok) {
      const { message, status } = plain.rejection;
      const fix = 'Check that the conversation exists in the first location';
      this.#found.fail('upload', `Leadway rejected a file of 100 bytes (status ${status}: ${message})`, fix);
      return;
    }
    this.#found.ok('upload', 'Leadway takes a file');
    const chunked = await send([], 100, true);
    if (chunked.ok) this.#found.ok('chunked', 'Leadway takes uploads of unknown length');
    else {
      this.#found.unknown(
        'chunked',
        'Leadway wants to know the length of an upload in advance: send the field fileSize',
      );
      this.#found.settings['FORWARD_HOLD_BYTES'] = '5242880';
    }
    const empty = await send([['attachmentUrls', '']], 100, false);
    this.#found.ok('attachmentUrls', `Leadway ${empty.ok ? 'takes' : 'rejects'} an empty one`);
    const binary = await send([], 5 * 1024 * 1024, false);
    if (binary.ok) this.#found.settings['FORWARD_MAX_BYTES'] = '5242880';
    else if ((await send([], 5_000_000, false)).ok) this.#found.settings['FORWARD_MAX_BYTES'] = '5000000';
    const limit = this.#found.settings['FORWARD_MAX_BYTES'];
    if (limit === undefined) this.#found.unknown('limit', 'Leadway rejects a file of 5,000,000 bytes');
    else this.#found.ok('limit', `Leadway takes a file of ${limit} bytes`);
  }

  /** @throws ExchangeError */
  async #call(path: string, locationId: string, { contentType, content }: Body) {
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
