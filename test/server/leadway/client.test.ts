import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError, appError } from '../../../server/errors/app-error.ts';
import { createUpstreamAgent, type UpstreamAgent } from '../../../server/leadway/agent.ts';
import { LeadwayClient, type LeadwayClientOptions } from '../../../server/leadway/client.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';

type Respond = (res: ServerResponse, req: IncomingMessage) => void;

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Respond =>
  (res) => {
    res.writeHead(status, headers).end(JSON.stringify(body));
  };
const reset: Respond = (_res, req) => req.socket.resetAndDestroy();
const BAD_TOKEN = json(401, { statusCode: 401, message: 'Invalid JWT' });

describe('A JSON call to Leadway', () => {
  let server: Server;
  let agent: UpstreamAgent;
  /** What each call is responded to with, in their order; the last one again for all that follow. */
  let script: Respond[];
  let authorizations: (string | undefined)[];
  let taken: string[];
  let updated: string[];
  let tokens: string[];

  beforeEach(async () => {
    script = [];
    authorizations = [];
    taken = [];
    updated = [];
    tokens = ['token-1'];
    server = createServer((req, res) => {
      const respond = script[authorizations.length] ?? script.at(-1);
      authorizations.push(req.headers.authorization);
      req.resume().once('end', () => respond?.(res, req));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    agent = createUpstreamAgent();
  });
  afterEach(() => {
    agent[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
  });

  const createClient = async (options: Partial<LeadwayClientOptions> = {}): Promise<LeadwayClient> =>
    new LeadwayClient({
      baseUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      apiVersion: '2021-07-28',
      timeoutMs: 5_000,
      tokens: {
        current: () => tokens[0] ?? '',
        all: () => tokens,
        refresh: async (_location, used) => {
          if (tokens.length > 1) tokens.shift();
          return tokens[0] !== used;
        },
      },
      quota: {
        take: async (_location, _over, attempt) => void taken.push(`${attempt}`),
        takeNow: () => false,
        update: (_location, status, _headers, attempt) => void updated.push(`${status} ${attempt}`),
      },
      agent,
      logger: await createLogger({ level: 'silent', destination: new LogSink() }),
      ...options,
    });
  const post = (client: LeadwayClient, signal = new AbortController().signal) =>
    client.postJson('/initiate', 'l', { a: 1 }, signal);
  const fails = async (promise: Promise<unknown>): Promise<AppError> => {
    const error = await promise.then(
      () => assert.fail('it succeeded'),
      (reason: unknown) => reason,
    );
    assert(error instanceof AppError, String(error));
    return error;
  };

  for (const status of [400, 403, 404, 422, 428, 430, 500, 501, 505]) {
    it(`is made once when the response is ${status}`, async () => {
      script = [json(status, { message: 'no' })];
      const response = await post(await createClient());
      assert(!response.ok);
      assert.equal(response.status, status);
      assert.equal(authorizations.length, 1);
      assert.deepEqual(taken, ['first']);
    });
  }

  for (const status of [429, 502, 503, 504]) {
    it(`is made once more when the response is ${status}`, async () => {
      script = [json(status, {}, { 'Retry-After': '0' }), json(201, { uploadId: 'u1' })];
      const response = await post(await createClient());
      assert.deepEqual(response, { ok: true, status: 201, json: { uploadId: 'u1' } });
      assert.deepEqual(taken, ['first', 'retry']);
      assert.deepEqual(updated, [`${status} first`, '201 retry']);
    });
  }

  it('is made twice at most', async () => {
    script = [json(502, {}, { 'Retry-After': '0' })];
    const response = await post(await createClient());
    assert(!response.ok);
    assert.equal(response.status, 502);
    assert.equal(authorizations.length, 2);
  });

  it('is not made again where Leadway wants to be left alone for more than two seconds', async () => {
    script = [json(503, {}, { 'Retry-After': '3' })];
    const response = await post(await createClient());
    assert(!response.ok);
    assert.equal(response.rejection.retryAfterMs, 3_000);
    assert.equal(authorizations.length, 1);
  });

  it('keeps the first response where the budget lets no second call through', async () => {
    script = [json(502, { message: 'bad gateway' }, { 'Retry-After': '0' })];
    const response = await post(
      await createClient({
        quota: {
          async take(_location, _over, attempt) {
            if (attempt === 'retry') throw appError('UPSTREAM_BUDGET');
          },
          takeNow: () => true,
          update: () => {},
        },
      }),
    );
    assert(!response.ok);
    assert.equal(response.rejection.message, 'bad gateway');
    const error = await fails(
      post(
        await createClient({
          quota: {
            async take(_location, _over, attempt) {
              if (attempt === 'retry') throw appError('INTERNAL');
            },
            takeNow: () => true,
            update: () => {},
          },
        }),
      ),
    );
    assert.equal(error.code, 'INTERNAL');
  });

  it('asks the budget for no wait where there is a call left', async () => {
    script = [json(200, {})];
    await post(
      await createClient({
        quota: { take: () => assert.fail('nothing to wait for'), takeNow: () => true, update: () => {} },
      }),
    );
  });

  it('is not made again when a fresh connection is reset', async () => {
    script = [reset];
    assert.equal((await fails(post(await createClient()))).code, 'UPSTREAM_ABORTED');
    assert.equal(authorizations.length, 1);
  });

  it('is made again, on a fresh connection, when a reused one is reset', async () => {
    script = [json(200, { first: true }), reset, json(200, { again: true })];
    const client = await createClient();
    await post(client);
    const response = await post(client);
    assert.deepEqual(response, { ok: true, status: 200, json: { again: true } });
    assert.deepEqual(taken, ['first', 'first', 'retry']);
  });

  it('is not made a third time when that one is reset too', async () => {
    script = [json(200, {}), reset];
    const client = await createClient();
    await post(client);
    assert.equal((await fails(post(client))).code, 'UPSTREAM_ABORTED');
    assert.equal(authorizations.length, 3);
  });

  it('is not made again when the response breaks off', async () => {
    script = [
      json(200, {}),
      (res, req) => {
        res.writeHead(200, { 'Content-Length': '100' }).write('{', () => req.socket.destroy());
      },
    ];
    const client = await createClient();
    await post(client);
    assert.equal((await fails(post(client))).code, 'UPSTREAM_ABORTED');
    assert.equal(authorizations.length, 2);
  });

  it('is made again with a fresh token when the token is bad, once', async () => {
    tokens = ['token-1', 'token-2', 'token-3'];
    script = [BAD_TOKEN, json(200, { uploadId: 'u1' })];
    assert((await post(await createClient())).ok);
    assert.deepEqual(authorizations, ['Bearer token-1', 'Bearer token-2']);
    tokens = ['token-1', 'token-2', 'token-3'];
    authorizations = [];
    script = [BAD_TOKEN];
    assert.equal((await post(await createClient())).ok, false);
    assert.deepEqual(authorizations, ['Bearer token-1', 'Bearer token-2']);
  });

  it('is not made again where there is no other token, or the 401 means something else', async () => {
    for (const respond of [
      BAD_TOKEN,
      json(401, { message: 'The token is not authorized for this scope.' }),
      json(401, { message: 'This AuthClass is not yet supported' }),
    ]) {
      authorizations = [];
      tokens = respond === BAD_TOKEN ? ['token-1'] : ['token-1', 'token-2'];
      script = [respond];
      assert.equal((await post(await createClient())).ok, false);
      assert.equal(authorizations.length, 1);
    }
  });

  it('fails with a timeout when no response comes, or the rest of it does not', async () => {
    for (const respond of [
      (() => {}) as Respond,
      ((res) => void res.writeHead(200, { 'Content-Length': '100' }).write('{')) as Respond,
    ]) {
      script = [respond];
      authorizations = [];
      assert.equal((await fails(post(await createClient({ timeoutMs: 40 })))).code, 'UPSTREAM_TIMEOUT');
      assert.equal(authorizations.length, 1);
    }
  });

  it('takes nothing but a JSON object for a success', async () => {
    for (const body of ['', 'null', '[]', '"text"', '<html>', '{"a":']) {
      script = [(res) => void res.writeHead(200).end(body)];
      assert.equal((await fails(post(await createClient()))).code, 'UPSTREAM_ERROR', body);
    }
    script = [(res) => void res.writeHead(299).end('{}')];
    assert.equal((await post(await createClient())).ok, true);
    script = [(res) => void res.writeHead(300).end('{}')];
    assert.equal((await post(await createClient())).ok, false);
  });

  it('reads a success of 1 MiB and no more', async () => {
    const empty = '{}';
    script = [(res) => void res.writeHead(200).end(empty.padEnd(1024 * 1024))];
    assert.equal((await post(await createClient())).ok, true);
    script = [(res) => void res.writeHead(200).end(empty.padEnd(1024 * 1024 + 1))];
    assert.equal((await fails(post(await createClient()))).code, 'UPSTREAM_ERROR');
  });

  it('does not begin when its work is over, and ends with it', async () => {
    script = [() => {}];
    await assert.rejects(post(await createClient(), AbortSignal.abort()), { name: 'AbortError' });
    assert.equal(authorizations.length, 0);
    const later = new AbortController();
    const arrived = once(server, 'request') as Promise<[IncomingMessage]>;
    const failure = fails(post(await createClient(), later.signal));
    const [req] = await arrived;
    const closed = once(req.socket, 'close');
    later.abort();
    await failure;
    await closed;
    assert.equal(authorizations.length, 1);
  });

  it('is not made again after its work has ended', async () => {
    script = [json(200, {}), () => {}];
    const client = await createClient();
    await post(client);
    const work = new AbortController();
    const arrived = once(server, 'request');
    const failure = post(client, work.signal).then(
      () => assert.fail('it succeeded'),
      () => {},
    );
    await arrived;
    work.abort();
    await failure;
    assert.equal(authorizations.length, 2);
    script = [json(503, {}, { 'Retry-After': '2' })];
    authorizations = [];
    const waiting = new AbortController();
    const second = post(await createClient(), waiting.signal);
    await once(server, 'request');
    while (updated.at(-1) !== '503 first') await new Promise((resolve) => setImmediate(resolve));
    waiting.abort();
    await assert.rejects(second, { name: 'AbortError' });
    assert.equal(authorizations.length, 1);
  });

  it('that is accepted ends the complaint about the token', async () => {
    const client = await createClient();
    script = [BAD_TOKEN];
    const response = await post(client);
    assert(!response.ok);
    assert.equal(client.authProblem(), null);
    assert.equal(client.toError(response.rejection, 'l').code, 'UPSTREAM_AUTH');
    assert.match(client.authProblem() ?? '', /^Leadway rejected the token/);
    script = [json(200, {})];
    authorizations = [];
    await post(client);
    assert.equal(client.authProblem(), null);
  });
});
