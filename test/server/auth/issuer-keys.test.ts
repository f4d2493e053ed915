import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { exportJWK, generateKeyPair, type JWK, type JWTVerifyGetKey } from 'jose';
import {
  createIssuerKeys,
  type FetchDocument,
  type IssuerKeys,
  KeysUnavailable,
} from '../../../server/auth/issuer-keys.ts';
import { createLogger } from '../../../server/logger.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { settled } from '../../helpers/test-server.ts';

const ISSUER = 'https://issuer.test';
const DISCOVERY = `${ISSUER}/.well-known/openid-configuration`;
const MINUTE_MS = 60_000;

describe('the keys of a token issuer', () => {
  let jwks: Record<'first' | 'second', JWK>;
  let pages: Record<string, unknown>;
  let asked: string[];
  let nowMs: number;
  let log: LogSink;
  let open: IssuerKeys[];

  before(async () => {
    const make = async (kid: string): Promise<JWK> => ({
      ...(await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey)),
      kid,
      alg: 'RS256',
    });
    jwks = { first: await make('first'), second: await make('second') };
  });
  beforeEach(() => {
    nowMs = 1_000_000;
    asked = [];
    open = [];
    log = new LogSink();
    pages = {
      [DISCOVERY]: { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` },
      [`${ISSUER}/jwks`]: { keys: [jwks.first] },
    };
  });
  afterEach(() => {
    for (const keys of open) keys[Symbol.dispose]();
  });

  const fetchDocument: FetchDocument = async (url, { signal }) => {
    asked.push(url);
    await setImmediate();
    signal.throwIfAborted();
    const page = pages[url];
    if (page === undefined) throw new Error('gone');
    return Response.json(page);
  };
  const create = async (jwksUrl: URL | null = null): Promise<IssuerKeys> => {
    const logger = await createLogger({ level: 'trace', destination: log });
    const keys = createIssuerKeys({ issuer: ISSUER, jwksUrl, fetchDocument, logger, now: () => nowMs });
    open.push(keys);
    await settled(() => asked.length > 0, 'the issuer is asked at once');
    return keys;
  };
  const find = async ({ find: findKey }: IssuerKeys, kid: string, alg = 'RS256'): Promise<unknown> =>
    findKey({ alg, kid }, { payload: '', signature: '' } as Parameters<JWTVerifyGetKey>[1]);
  const lines = (level: string): unknown[] =>
    log.entries.filter((entry) => entry['level'] === level).map(({ msg }) => msg);

  it('are read once for all who need them, and not again for ten minutes', async () => {
    const keys = await create();
    await Promise.all([find(keys, 'first'), find(keys, 'first')]);
    nowMs += 10 * MINUTE_MS - 1;
    await find(keys, 'first');
    assert.deepEqual(asked, [DISCOVERY, `${ISSUER}/jwks`]);
    assert.equal(keys.problem(), null);
  });

  it('open nothing any more ten minutes after the issuer has withdrawn one', async () => {
    const keys = await create();
    await find(keys, 'first');
    pages[`${ISSUER}/jwks`] = { keys: [jwks.second] };
    nowMs += 10 * MINUTE_MS - 1;
    await find(keys, 'first');
    nowMs += 1;
    await assert.rejects(find(keys, 'first'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
    await find(keys, 'second');
  });

  it('are not believed for longer though the issuer is down', async () => {
    const keys = await create();
    await find(keys, 'first');
    pages = {};
    nowMs += 10 * MINUTE_MS;
    await assert.rejects(find(keys, 'first'), KeysUnavailable);
    await assert.rejects(find(keys, 'first'), KeysUnavailable);
    assert.deepEqual(lines('error'), ['the keys of the token issuer can’t be read'], 'said once');
    pages = {
      [DISCOVERY]: { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` },
      [`${ISSUER}/jwks`]: { keys: [jwks.first] },
    };
    await find(keys, 'first');
    assert.deepEqual(lines('info'), ['the keys of the token issuer are read again']);
  });

  it('are read again at once for a key that is not among them, five times and every two seconds after that', async () => {
    const keys = await create(new URL(`${ISSUER}/jwks`));
    await find(keys, 'first');
    const lookUp = async () => {
      asked = [];
      await assert.rejects(find(keys, 'made-up'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
      return asked.length;
    };
    for (let time = 0; time < 5; time += 1) assert.equal(await lookUp(), 1);
    assert.equal(await lookUp(), 0);
    nowMs += 1_999;
    assert.equal(await lookUp(), 0);
    nowMs += 1;
    assert.equal(await lookUp(), 1);
    assert.equal(await lookUp(), 0);
    nowMs += 4 * MINUTE_MS;
    for (let time = 0; time < 5; time += 1) assert.equal(await lookUp(), 1);
    assert.equal(await lookUp(), 0);
    pages[`${ISSUER}/jwks`] = { keys: [jwks.first, jwks.second] };
    nowMs += 2_000;
    await find(keys, 'second');
  });

  it('are not asked for again because of another fault of a token', async () => {
    const keys = await create();
    await find(keys, 'first');
    asked = [];
    await assert.rejects(find(keys, 'first', 'HS256'));
    assert.deepEqual(asked, []);
  });

  for (const [what, document] of [
    ['of another issuer', { issuer: 'https://evil.test', jwks_uri: `${ISSUER}/jwks` }],
    ['that names keys without https', { issuer: ISSUER, jwks_uri: 'http://issuer.test/jwks' }],
    ['that names keys by another scheme', { issuer: ISSUER, jwks_uri: 'data:application/json,{"keys":[]}' }],
    ['that names none', { issuer: ISSUER }],
  ] as const) {
    it(`are not taken from a document ${what}`, async () => {
      pages[DISCOVERY] = document;
      pages['http://issuer.test/jwks'] = { keys: [jwks.first] };
      const keys = await create();
      await assert.rejects(find(keys, 'first'), KeysUnavailable);
      assert.deepEqual(
        asked.filter((url) => url !== DISCOVERY),
        [],
        'and nobody is asked for them',
      );
    });
  }

  it('are tried for again by who asks whether there is a problem, once a second', async () => {
    const good = pages;
    pages = {};
    const keys = await create();
    await settled(() => lines('error').length === 1, 'the log tells');
    asked = [];
    assert.equal(keys.problem()?.text, 'the keys of the token issuer can’t be read');
    assert.deepEqual(asked, []);
    nowMs += 999;
    keys.problem();
    assert.deepEqual(asked, []);
    nowMs += 1;
    pages = good;
    keys.problem();
    await settled(() => keys.problem() === null, 'the problem is over');
  });

  it('that are too old are a notice, not a reason to be unready, while the issuer is down', async () => {
    const good = pages;
    const keys = await create();
    await find(keys, 'first');
    nowMs += 10 * MINUTE_MS;
    pages = {};
    assert.equal(keys.notice(), null, 'nobody has asked yet');
    await settled(() => keys.notice() !== null, 'there is a notice');
    assert.equal(keys.notice()?.text, 'the keys of the token issuer can’t be read');
    assert.equal(keys.problem(), null);
    pages = good;
    nowMs += 1_000;
    await settled(() => keys.notice() === null, 'the notice is gone');
    await find(keys, 'first');
  });

  it('are not missed aloud by a server that stops', async () => {
    pages = {};
    const keys = await create();
    keys[Symbol.dispose]();
    await assert.rejects(find(keys, 'first'), KeysUnavailable);
    assert.deepEqual(lines('error'), []);
  });
});
