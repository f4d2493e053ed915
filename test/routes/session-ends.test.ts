import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { mock } from 'node:test';
import { call, fields, file, type Reply, seen } from '../helpers/direct-steps.ts';
import { encodeForm, FORM_TYPE, mp4 } from '../helpers/multipart.ts';
import { AUDIENCE, OpenIdProvider } from '../helpers/open-id.ts';
import { encryptContext, SSO_ENV, userContext } from '../helpers/sso-context.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const UPLOADS = 50;
const SESSION_MS = 5_000;
const film = mp4(600_000);

/** An authenticating proxy in front of a server, as oauth2-proxy is: it looks at a cookie when a request begins. */
class SignInProxy implements AsyncDisposable {
  now = 0;
  readonly #target: URL;
  readonly #server = http.createServer((req, res) => this.#serve(req, res));
  readonly #sessions = new Map<string, { readonly user: string; readonly endsAt: number }>();

  constructor(target: string) {
    this.#target = new URL(target);
  }

  static async start(target: string): Promise<SignInProxy> {
    const proxy = new SignInProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Headers of a browser that has just signed in. */
  signIn(user: string): Readonly<Record<string, string>> {
    const id = `session-${this.#sessions.size}`;
    this.#sessions.set(id, { user, endsAt: this.now + SESSION_MS });
    return { Cookie: `_oauth2_proxy=${id}`, 'Sec-Fetch-Site': 'same-origin' };
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const [, id = ''] = /_oauth2_proxy=([\w-]+)/.exec(req.headers.cookie ?? '') ?? [];
    const session = this.#sessions.get(id);
    if (session === undefined || session.endsAt <= this.now) {
      res.writeHead(401, { 'Content-Type': 'text/html' }).end('<h1>Sign in</h1>');
      req.resume();
      return;
    }
    const { hostname, port } = this.#target;
    const headers = { ...req.headers, 'x-forwarded-user': session.user };
    const forwarded = http.request(
      { hostname, port, path: req.url, method: req.method, headers },
      (response) => {
        res.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(res);
      },
    );
    forwarded.on('error', () => res.destroy());
    req.pipe(forwarded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface HeldUpload {
  /** Sends the rest. */
  finish(): Promise<Reply>;
}

/** Sends the head of a request and the first half of its body. */
async function hold(
  url: string,
  method: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<HeldUpload> {
  const req = http.request(url, {
    method,
    agent: false,
    headers: { ...headers, 'Content-Length': body.length },
  });
  const response = once(req, 'response') as Promise<[IncomingMessage]>;
  response.catch(() => {});
  await new Promise((resolve) => req.write(body.subarray(0, body.length / 2), resolve));
  return {
    async finish() {
      req.end(body.subarray(body.length / 2));
      const [res] = await response;
      const text = await readText(res);
      const isJson = res.headers['content-type']?.startsWith('application/json');
      return {
        status: res.statusCode ?? 0,
        headers: res.headers,
        text,
        body: isJson ? JSON.parse(text) : {},
      };
    },
  };
}

describe('an upload whose session ends meanwhile', () => {
  let testServer: TestServer;
  let proxy: SignInProxy;
  beforeEach(async () => {
    const env = { AUTH: 'header', TRUST_PROXY: 'loopback', MAX_CONCURRENT_UPLOADS_PER_CALLER: '256' };
    testServer = await createTestServer({ env });
    proxy = await SignInProxy.start(testServer.url);
  });
  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    await testServer[Symbol.asyncDispose]();
  });

  const api = (path: string): string => `${proxy.url}/api/messages/upload${path}`;
  const form = (index: number): Buffer =>
    encodeForm([...fields(testServer.fields), file(`film-${index}.mp4`, film)]);
  const each = <T>(run: (index: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: UPLOADS }, (_, index) => run(index)));
  const postJson = (path: string, headers: Readonly<Record<string, string>>, json: object): Promise<Reply> =>
    call(api(path), {
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(json),
    });
  const urlsOf = (replies: readonly Reply[]): Set<string> => {
    for (const { status, text } of replies) assert.equal(status, 200, text);
    return new Set(replies.flatMap(({ body }) => Object.values(body.uploadedFiles ?? {})));
  };

  for (const mode of ['forward', 'relay']) {
    it(`is finished, by mode=${mode}: none of ${UPLOADS} is lost`, async () => {
      const session = proxy.signIn('maria');
      const held = await each((index) =>
        hold(api(`?mode=${mode}`), 'POST', form(index), { ...session, 'Content-Type': FORM_TYPE }),
      );
      await settled(
        () => testServer.server.context.slots.taken === UPLOADS,
        'every upload has begun',
        20_000,
      );
      proxy.now += SESSION_MS;
      assert.equal((await postJson('/initiate', session, {})).status, 401);
      const replies = await Promise.all(held.map((upload) => upload.finish()));
      assert.equal(urlsOf(replies).size, UPLOADS);
    }).timeout(60_000);
  }

  for (const isRelayed of [false, true]) {
    it(`is completed with a fresh session, ${isRelayed ? 'by PUT …/content' : 'direct'}: none of ${UPLOADS} is lost`, async () => {
      const { conversationId } = testServer.sandbox;
      const session = proxy.signIn('maria');
      const held = await each(async (index) => {
        const wanted = { conversationId, filename: `film-${index}.mp4`, fileSize: film.length };
        const { body } = await postJson('/initiate', session, wanted);
        const headers = isRelayed
          ? { ...session, 'Upload-Ticket': body.ticket, 'Content-Type': body.contentType }
          : body.headers;
        const url = isRelayed ? api('/content') : body.uploadUrl;
        return { ticket: body.ticket, upload: await hold(url, 'PUT', film, headers) };
      });
      const { slots } = testServer.server.context;
      if (isRelayed) await settled(() => slots.taken === UPLOADS, 'every upload has begun', 20_000);
      proxy.now += SESSION_MS;
      const stored = await Promise.all(held.map(({ upload }) => upload.finish()));
      for (const { status, text } of stored) assert.equal(status, isRelayed ? 204 : 200, text);
      const { ticket = '' } = held[0] ?? {};
      assert.equal((await postJson('/complete', session, { ticket })).status, 401);
      assert.equal(
        (await postJson('/complete', proxy.signIn('jose'), { ticket })).body.code,
        'TICKET_INVALID',
      );
      const fresh = proxy.signIn('maria');
      const replies = await Promise.all(held.map(({ ticket }) => postJson('/complete', fresh, { ticket })));
      assert.equal(urlsOf(replies).size, UPLOADS);
      assert.equal(seen(testServer, 'complete').length, UPLOADS);
    }).timeout(60_000);
  }
});

describe('an upload whose credential ends meanwhile', () => {
  const body = encodeForm([{ name: 'conversationId', content: 'c1' }, file('film.mp4', film)]);

  async function assertOutlives(
    testServer: TestServer,
    credential: string,
    end: () => Promise<void>,
    renew: () => Promise<string>,
  ): Promise<void> {
    const base = `${testServer.api}/messages/upload`;
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
    const json = (token: string) => ({ ...bearer(token), 'Content-Type': 'application/json' });
    const initiated = await call(`${base}/initiate`, {
      headers: json(credential),
      body: JSON.stringify({ conversationId: 'c1', filename: 'film.mp4', fileSize: film.length }),
    });
    assert.equal(initiated.status, 200, initiated.text);
    const { ticket, contentType } = initiated.body;
    const form = { ...bearer(credential), 'Content-Type': FORM_TYPE };
    const held = await Promise.all([
      hold(`${base}?mode=forward`, 'POST', body, form),
      hold(`${base}?mode=relay`, 'POST', body, form),
      hold(`${base}/content`, 'PUT', film, {
        ...bearer(credential),
        'Upload-Ticket': ticket,
        'Content-Type': contentType,
      }),
    ]);
    await settled(() => testServer.server.context.slots.taken === held.length, 'every upload has begun');
    await end();
    const replies = await Promise.all(held.map((upload) => upload.finish()));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 204],
      replies.map(({ text }) => text).join(),
    );
    const complete = async (token: string): Promise<Reply> =>
      call(`${base}/complete`, { headers: json(token), body: JSON.stringify({ ticket }) });
    assert.equal((await complete(credential)).body.code, 'UNAUTHENTICATED');
    assert.equal((await complete(await renew())).status, 200);
  }

  it('is finished when the session is revoked, and completed with a fresh one', async () => {
    await using testServer = await createTestServer({ env: SSO_ENV });
    const begin = async (): Promise<string> => {
      const payload = encryptContext(userContext(testServer.sandbox.locationId));
      const headers = { 'Content-Type': 'application/json' };
      const { text } = await call(`${testServer.api}/session`, {
        headers,
        body: JSON.stringify({ payload }),
      });
      return JSON.parse(text).token;
    };
    const token = await begin();
    const end = async (): Promise<void> => {
      const headers = { Authorization: `Bearer ${token}` };
      assert.equal((await call(`${testServer.api}/session`, { method: 'DELETE', headers })).status, 204);
    };
    await assertOutlives(testServer, token, end, begin);
  });

  it('is finished when the token expires, and completed with a fresh one', async () => {
    await using provider = await OpenIdProvider.start([]);
    const env = { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE };
    await using testServer = await createTestServer({ env });
    const sign = (): Promise<string> =>
      provider.sign({ claims: { locations: [testServer.sandbox.locationId] } });
    mock.timers.enable({ apis: ['Date'], now: Date.now() });
    try {
      // More than the five minutes of the token and the tolerance, less than the quarter of an hour of a signed URL.
      const end = async (): Promise<void> => mock.timers.setTime(Date.now() + 6 * 60_000);
      await assertOutlives(testServer, await sign(), end, sign);
    } finally {
      mock.timers.reset();
    }
  });
});
