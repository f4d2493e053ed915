import { mock } from 'node:test';
import type { ClientConfig, UploaderOptions } from '../../client/index.ts';

/** A request that the client has sent by XMLHttpRequest; the test plays the server. */
export class FakeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string> = {};
  readonly xhr: FakeXhr;
  body: unknown;
  isAborted = false;

  constructor(method: string, url: string, xhr: FakeXhr) {
    this.method = method;
    this.url = url;
    this.xhr = xhr;
  }

  /** `POST /messages/upload`, without the endpoint. */
  get line(): string {
    return `${this.method} ${this.url.replace(/^\/api/, '')}`;
  }

  /** Responds with JSON, or with a text that isn't. */
  respond(status: number, content: unknown = {}, headers: Readonly<Record<string, string>> = {}): void {
    this.xhr.status = status;
    this.xhr.responseText = typeof content === 'string' ? content : JSON.stringify(content);
    this.xhr.responseHeaders = headers;
    this.xhr.onload?.();
  }

  /** Responds with an error in the server's own shape. */
  reject(status: number, code: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.respond(status, { status, code, message: `Message of ${code}`, retryable: false, ...facts });
  }

  /** The network breaks. */
  lose(): void {
    this.xhr.onerror?.();
  }
}

class FakeXhr {
  status = 0;
  responseURL = '';
  responseText = '';
  responseHeaders: Readonly<Record<string, string>> = {};
  withCredentials = false;
  onload: (() => void) | undefined;
  onerror: (() => void) | undefined;
  onprogress: (() => void) | undefined;
  readonly upload: {
    onprogress?: (event: { readonly loaded: number; readonly total: number }) => void;
    onload?: () => void;
  } = {};
  #request: FakeRequest | undefined;
  #page: FakePage;

  constructor(page: FakePage) {
    this.#page = page;
  }

  open(method: string, url: string): void {
    this.#request = new FakeRequest(method, url, this);
  }

  setRequestHeader(name: string, value: string): void {
    if (this.#request !== undefined) this.#request.headers[name] = value;
  }

  getResponseHeader(name: string): string | null {
    return this.responseHeaders[name] ?? null;
  }

  send(body: unknown): void {
    if (this.#request === undefined) throw new TypeError('send() comes after open()');
    this.#request.body = body;
    this.#page.arrived(this.#request);
  }

  abort(): void {
    if (this.#request !== undefined) this.#request.isAborted = true;
  }
}

/**
 * What the client finds in a page, for tests that need no browser: XMLHttpRequest, and a clock that only
 * `tick` moves. Hold it with `using`.
 */
export class FakePage implements Disposable {
  readonly requests: FakeRequest[] = [];
  /** Responds to what arrives; without one the test takes requests by {@link next}. */
  server: ((request: FakeRequest) => void) | undefined;
  readonly #events = new EventTarget();
  #taken = 0;

  constructor() {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
    const page = this;
    const events = this.#events;
    set('XMLHttpRequest', function XMLHttpRequest() {
      return new FakeXhr(page);
    });
    set('addEventListener', events.addEventListener.bind(events));
    set('removeEventListener', events.removeEventListener.bind(events));
    // The middle of what is chosen at random.
    mock.method(Math, 'random', () => 0.5);
  }

  set isOnline(isOnline: boolean) {
    Object.defineProperty(navigator, 'onLine', { value: isOnline, configurable: true });
    if (isOnline) this.#events.dispatchEvent(new Event('online'));
  }

  dispatch(event: Event): void {
    this.#events.dispatchEvent(event);
  }

  arrived(request: FakeRequest): void {
    this.requests.push(request);
    this.server?.(request);
  }

  /** The next request that the test has not taken yet. */
  async next(): Promise<FakeRequest> {
    await this.settle();
    const request = this.requests[this.#taken];
    if (request === undefined) throw new Error(`no further request, only ${this.lines.join(', ')}`);
    this.#taken += 1;
    return request;
  }

  /** All requests so far, as `METHOD /path`. */
  get lines(): string[] {
    return this.requests.map(({ line }) => line);
  }

  /** Moves the clock, and lets everything happen that waits for it. */
  async tick(ms: number): Promise<void> {
    await this.settle();
    mock.timers.tick(ms);
    await this.settle();
  }

  /** Lets everything happen that waits for no clock. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  [Symbol.dispose](): void {
    mock.timers.reset();
    mock.restoreAll();
    for (const name of ['XMLHttpRequest', 'addEventListener', 'removeEventListener']) {
      Reflect.deleteProperty(globalThis, name);
    }
    Reflect.deleteProperty(navigator, 'onLine');
  }
}

function set(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true });
}

/** What a server with a limit of 1,000 bytes for forwarding says of itself. */
export const CONFIG: ClientConfig = {
  fileField: 'fileAttachment',
  maxFiles: 2,
  types: [{ extensions: ['txt'], mimeTypes: ['text/plain'] }],
  channels: { default: 'SMS' },
  limits: { forwardMaxBytes: 1_000, directMaxBytes: { default: 5_000, WHATSAPP: 200_000 } },
  modes: ['auto', 'forward', 'direct', 'relay'],
};

export const IDS = { conversationId: 'c1', contactId: 'k1' } as const;
export const QUICK: UploaderOptions = { language: 'en' };

/** A text file. */
export function textFile(name: string, bytes: number): File {
  return new File(['x'.repeat(bytes)], name, { type: 'text/plain' });
}

/** What the server says of a file that it has forwarded. */
export function forwarded(name = 'a.txt'): Readonly<Record<string, unknown>> {
  return { mode: 'forward', uploadedFiles: { [name]: `https://files.test/${name}` } };
}

/** A signed URL, as `initiate` gives it. */
export function signed(ticket: string, expiresAt = Date.now() + 900_000): Readonly<Record<string, unknown>> {
  return {
    mode: 'direct',
    uploadUrl: `https://storage.test/${ticket}?signature=1`,
    method: 'PUT',
    headers: { 'Content-Type': 'text/plain' },
    expiresAt,
    ticket,
  };
}
