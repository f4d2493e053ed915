import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { matchesOrigin } from '../config/addresses.ts';
import type { AppContext } from '../context.ts';
import { AppError } from '../errors/app-error.ts';
import { meansNotOffered } from '../leadway/capability.ts';
import { PATHS } from '../leadway/client.ts';
import { adviceFor, isConversationMissing } from '../leadway/errors.ts';
import { ExchangeError, type ExchangeResponse } from '../leadway/exchange.ts';
import { connectProblem, isTlsError } from '../leadway/reachability.ts';
import { type LeadwayResponse, maxResponseBytes, parseResponse } from '../leadway/response.ts';
import { MAX_SKEW_MS } from '../start-checks.ts';
import { createMultipartEncoder } from '../uploads/multipart-encoder.ts';
import type { Findings } from './report.ts';

const MAX_ORIGINS = 3;
const MAX_CALLS = 12;
/** Each location costs a call. */
const MAX_LOCATIONS = 3;
const CERTIFICATE_WARNING_DAYS = 14;
const DAY_MS = 24 * 3_600_000;
/** What 5 MB may mean. */
const SIZES = [5 * 1024 * 1024, 5_000_000] as const;
const CHECK_CONVERSATION = 'Check that the conversation exists in the first location';

/** Statuses that say something about the request, and nothing about the state of Leadway. */
const STATUSES_OF_REQUESTS: ReadonlySet<number> = new Set([400, 411, 413, 415, 422]);

function isAboutRequest(status: number): boolean {
  return STATUSES_OF_REQUESTS.has(status);
}

/** The status and message of a rejection. */
function describe(response: LeadwayResponse & { readonly ok: false }): string {
  const { status, message } = response.rejection;
  return message === '' ? `status ${status}` : `status ${status}: ${message}`;
}

/** What ends the checks. */
export interface LeadwayCheckLimits {
  readonly signal: AbortSignal;
  /** How long a response may take, in milliseconds. */
  readonly callTimeoutMs: number;
}

/** The checks of Leadway and of its storage: from the look-up of the name to an upload. */
export class LeadwayChecks {
  readonly #context: AppContext;
  readonly #found: Findings;
  readonly #signal: AbortSignal;
  readonly #callTimeoutMs: number;
  #calls = 0;

  constructor(context: AppContext, found: Findings, { signal, callTimeoutMs }: LeadwayCheckLimits) {
    this.#context = context;
    this.#found = found;
    this.#signal = signal;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** @param conversationId For the checks that store files; null leaves those out. */
  async run(conversationId: string | null): Promise<void> {
    try {
      if (await this.#checkName()) await this.#checkLeadway(conversationId);
    } catch (error) {
      if (!(error instanceof ExchangeError) || this.#signal.aborted) throw error;
      this.#failCall(error);
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

  /** Reports what kept a response from coming. */
  #failCall(error: ExchangeError): void {
    const { code = '' } = error.cause as NodeJS.ErrnoException;
    if (!error.wasConnected) {
      this.#failConnection(isTlsError(code) && code !== 'ECONNRESET' ? 'tls' : 'tcp', error);
      return;
    }
    const { host } = this.#context.config.leadway.baseUrl;
    const what = code.includes('TIMEOUT') ? 'does not respond' : 'closes them without a response';
    this.#found.fail(
      'tcp',
      `${host} takes connections and ${what}`,
      'Check LEADWAY_BASE_URL, or try again later',
    );
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
        if (this.#signal.aborted || !(error instanceof ExchangeError)) throw error;
        this.#failCall(error);
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

  /** Returns whether Leadway accepts the token. */
  #checkToken(locationId: string, response: LeadwayResponse): boolean {
    if (response.ok || isAboutRequest(response.status)) {
      this.#found.ok('token', `Leadway accepts the token of location ${locationId}`);
      return true;
    }
    const { rejection, status } = response;
    const advice = adviceFor(rejection, 'uploads');
    if (advice !== null) {
      this.#found.fail('token', `${advice.cause} (location ${locationId})`, advice.fix);
    } else if (rejection.isWebPage) {
      const fix = 'Ask Leadway’s support whether it blocks this network';
      this.#found.fail('token', `a firewall or CDN responded with a page (status ${status})`, fix);
    } else if (status === 429) {
      this.#found.unknown('token', 'Leadway accepts no more requests for now');
    } else {
      const fix = 'Check LEADWAY_BASE_URL, or try again later';
      this.#found.fail('token', `Leadway responded with status ${status}`, fix);
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
      this.#found.unknown('quota', 'Leadway’s response does not say');
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
    if (response.ok) {
      this.#found.ok('initiate', 'Leadway offers signed URLs');
      const url = response.json['uploadUrl'];
      if (typeof url === 'string' && URL.canParse(url)) await this.#checkStorage(new URL(url));
      else this.#found.fail('storage', 'Leadway’s response has no signed URL', 'Ask Leadway’s support');
      return;
    }
    const { rejection, status } = response;
    if (meansNotOffered(rejection)) {
      this.#found.unknown('initiate', 'Leadway offers no signed URLs to this token, so files are forwarded');
    } else if (
      conversationId !== null &&
      (isAboutRequest(status) || status === 404 || isConversationMissing(rejection))
    ) {
      this.#found.fail('initiate', `Leadway rejected it (${describe(response)})`, CHECK_CONVERSATION);
    } else if (isAboutRequest(status)) {
      this.#found.ok('initiate', 'Leadway offers signed URLs');
      this.#found.unknown('storage', 'only a signed URL shows it: add --write --conversation ID');
    } else if (status === 429) {
      this.#found.unknown('initiate', 'Leadway accepts no more requests for now');
    } else {
      const fix = 'Try again later; files that can be forwarded are not concerned';
      this.#found.fail('initiate', `Leadway responded with status ${status}`, fix);
    }
  }

  async #checkStorage(url: URL): Promise<void> {
    const { storageOrigins, origins } = this.#context.config;
    if (!storageOrigins.some((pattern) => matchesOrigin(pattern, url))) {
      const message = `Leadway’s signed URLs are for ${url.origin}, which STORAGE_ORIGINS does not allow`;
      this.#found.fail('storage', message, `If you trust that host, set STORAGE_ORIGINS=${url.origin}`);
      return;
    }
    const checked = origins.allowed.slice(0, MAX_ORIGINS);
    try {
      // Whatever the origin, a response shows that storage can be reached.
      const allowed = await Promise.all(
        [...checked, ...(checked.length === 0 ? [url.origin] : [])].map((origin) =>
          this.#isUploadAllowed(url, origin),
        ),
      );
      const signed = url.searchParams.get('X-Goog-SignedHeaders') ?? '';
      const names = signed.split(';').filter((name) => name !== '' && name !== 'host');
      const bound = names.length === 0 ? 'no header' : names.join(' and ');
      this.#found.ok('storage', `${url.host} responds, and signed URLs bind ${bound}`);
      for (const [index, origin] of checked.entries()) {
        if (allowed[index]) this.#found.ok('cors', `storage takes uploads from pages of ${origin}`);
        else
          this.#found.fail(
            'cors',
            `storage takes no uploads from pages of ${origin}`,
            'Use mode=relay there',
          );
      }
    } catch (error) {
      if (this.#signal.aborted || !(error instanceof ExchangeError)) throw error;
      const { cause, fix } = connectProblem(error.cause, {
        host: url.host,
        setting: null,
        proxy: this.#context.proxyFor(url)?.shown ?? null,
      });
      this.#found.fail('storage', `${url.host} can’t be reached: ${cause}`, fix.replace(/\.$/, ''));
      return;
    }
    if (checked.length === 0) this.#found.unknown('cors', 'ALLOWED_ORIGINS is not set');
    const more = origins.allowed.length - checked.length;
    if (more > 0) this.#found.unknown('cors', `${more} more origins were not checked`);
  }

  /** Asks as a browser does before it PUTs a file (Fetch standard, CORS-preflight fetch). */
  async #isUploadAllowed(url: URL, origin: string): Promise<boolean> {
    const { headers } = await this.#context.agent.exchange({
      method: 'OPTIONS',
      url,
      path: `${url.pathname}${url.search}`,
      headers: [
        'Origin',
        origin,
        'Access-Control-Request-Method',
        'PUT',
        'Access-Control-Request-Headers',
        'content-type',
      ],
      body: null,
      timeoutMs: this.#callTimeoutMs,
      signal: this.#signal,
      connection: 'fresh',
      maxBytes: maxResponseBytes,
    });
    const allows = (name: string, wanted: string): boolean =>
      String(headers[name] ?? '')
        .split(',')
        .some((value) => ['*', wanted].includes(value.trim().toLowerCase()));
    return (
      allows('access-control-allow-origin', origin) &&
      allows('access-control-allow-methods', 'put') &&
      allows('access-control-allow-headers', 'content-type')
    );
  }

  /** What can't be seen from outside. Each of these calls stores a small file, or one of 5 MB. */
  async #checkUploads(locationId: string, conversationId: string): Promise<void> {
    const fields: [string, string][] = [
      ['conversationId', conversationId],
      ['locationId', locationId],
    ];
    const toUpload = (bytes: number, more: readonly [string, string][] = []): Body =>
      toForm([...fields, ...more], Buffer.alloc(bytes, 'self-test '));
    const send = async (body: Body): Promise<LeadwayResponse> =>
      (await this.#call(PATHS.upload, locationId, body)).response;

    const plain = await send(toUpload(100));
    if (!plain.ok) {
      const message = `Leadway rejected a file of 100 bytes (${describe(plain)})`;
      this.#found.fail('upload', message, CHECK_CONVERSATION);
      return;
    }
    this.#found.ok('upload', 'Leadway takes a file');
    const chunked = await this.#stream(locationId, toUpload(100));
    const empty = await send(toUpload(100, [['attachmentUrls', '']]));
    if (empty.ok) this.#found.ok('attachmentUrls', 'Leadway takes an empty one');
    else if (isAboutRequest(empty.status)) this.#found.ok('attachmentUrls', 'Leadway rejects an empty one');
    else this.#found.unknown('attachmentUrls', `it could not be tried (${describe(empty)})`);

    const limit = await this.#findLimit((bytes) => send(toUpload(bytes)));
    if (limit !== null) this.#found.settings['FORWARD_MAX_BYTES'] = String(limit);
    if (chunked.ok) {
      this.#found.ok('chunked', 'Leadway takes uploads of unknown length');
    } else if (isAboutRequest(chunked.status)) {
      const message = 'Leadway wants to know the length of an upload in advance: send the field fileSize';
      this.#found.unknown('chunked', message);
      this.#found.settings['FORWARD_HOLD_BYTES'] = String(limit ?? SIZES[0]);
    } else {
      this.#found.unknown('chunked', `it could not be tried (${describe(chunked)})`);
    }
  }

  /** The larger of the two meanings of 5 MB that Leadway takes; null if it takes neither. */
  async #findLimit(send: (bytes: number) => Promise<LeadwayResponse>): Promise<number | null> {
    for (const bytes of SIZES) {
      const response = await send(bytes);
      if (response.ok) {
        this.#found.ok('limit', `Leadway takes a file of ${bytes} bytes`);
        return bytes;
      }
      if (!isAboutRequest(response.status)) {
        this.#found.unknown('limit', `it could not be tried (${describe(response)})`);
        return null;
      }
    }
    this.#found.unknown('limit', `Leadway rejects a file of ${SIZES.at(-1)} bytes`);
    return null;
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
      timeoutMs: this.#callTimeoutMs,
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
