import assert from 'node:assert/strict';
import { createSandbox } from '../../../sandbox/index.ts';
import { createSizeLimits, type SizeLimits } from '../../../server/leadway/size-limits.ts';
import { createLogger } from '../../../server/logger.ts';
import { FileStream } from '../../../server/uploads/file-stream.ts';
import { Upload, type UploadContext, type UploadResponse } from '../../../server/uploads/upload.ts';
import { type Call, call, fields, file, type Reply, seen, sendForm } from '../../helpers/direct-steps.ts';
import { LogSink } from '../../helpers/log-sink.ts';
import { encodeForm, mp4 } from '../../helpers/multipart.ts';
import { beginUpload } from '../../helpers/raw-client.ts';
import { needsRedis, startRedis } from '../../helpers/redis.ts';
import { createTempFile } from '../../helpers/temp-file.ts';
import {
  createTestServer,
  settled,
  type TestServer,
  type TestServerOptions,
} from '../../helpers/test-server.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 60 * 60_000;
const CHECK_MS = 5 * 60_000;

describe('what Leadway is known to reject by size', () => {
  let now: number;
  let log: LogSink;
  let limits: SizeLimits;
  beforeEach(() => {
    now = 0;
    log = new LogSink();
    const logger = createLogger({ level: 'info', destination: log });
    limits = createSizeLimits({ maxBytes: 5 * MIB, store: null, logger, now: () => now });
  });
  const limit = (locationId = 'a', channel = 'SMS'): number => limits.limitFor(locationId, channel);

  it('is nothing at first', async () => {
    assert.equal(limit(), Number.POSITIVE_INFINITY);
    assert.equal(limits.lowestOf(['a']), Number.POSITIVE_INFINITY);
    assert.equal(limits.notice(), null);
    assert.equal(limits.refresh(), undefined);
    limits.noteAccepted('a', 'SMS', 9 * MIB);
    assert.deepEqual(log.lines, []);
  });

  it('is the size of the smallest file that was rejected, for its location and channel', () => {
    limits.noteRejected('a', 'SMS', 4 * MIB);
    limits.noteRejected('a', 'SMS', 3 * MIB);
    limits.noteRejected('a', 'SMS', 4 * MIB);
    limits.noteRejected('b', 'WHATSAPP', 2 * MIB);
    assert.equal(limit(), 3 * MIB);
    assert.equal(limit('a', 'WHATSAPP'), Number.POSITIVE_INFINITY);
    assert.equal(limit('b'), Number.POSITIVE_INFINITY);
    assert.equal(limits.lowestOf(['a', 'b']), 2 * MIB);
    assert.equal(limits.lowestOf(['a', 'c']), 3 * MIB);
    assert.equal(log.lines.length, 3);
  });

  it('is never below 1 MiB, nothing above what the settings allow, and nothing for a few kilobytes', () => {
    limits.noteRejected('a', 'SMS', 3_000);
    assert.equal(limit(), Number.POSITIVE_INFINITY);
    limits.noteRejected('a', 'SMS', 100_000);
    assert.equal(limit(), MIB);
    limits.noteRejected('b', 'SMS', 5 * MIB);
    assert.equal(limit('b'), Number.POSITIVE_INFINITY);
  });

  it('is forgotten after an hour without a rejection', () => {
    limits.noteRejected('a', 'SMS', 3 * MIB);
    now = HOUR_MS - 1;
    limits.noteRejected('a', 'SMS', 4 * MIB);
    now += HOUR_MS - 1;
    assert.equal(limit(), 3 * MIB);
    now += 1;
    assert.equal(limit(), Number.POSITIVE_INFINITY);
    assert.equal(limits.notice(), null);
  });

  it('is checked by one larger file, five minutes after a rejection or the last check', async () => {
    limits.noteRejected('a', 'SMS', 3 * MIB);
    const claimTest = () => limits.claimTest('a', 'SMS');
    now = CHECK_MS - 1;
    assert.deepEqual([await claimTest(), await limits.claimTest('a', 'EMAIL')], [false, true]);
    now = CHECK_MS;
    assert.deepEqual([await claimTest(), await claimTest()], [true, false]);
    now = 2 * CHECK_MS;
    assert.deepEqual([await claimTest(), await claimTest()], [true, false]);
  });

  it('is forgotten when a larger file is accepted, and not when a smaller one is', () => {
    limits.noteRejected('a', 'SMS', 3 * MIB);
    limits.noteAccepted('a', 'SMS', 3 * MIB);
    limits.noteAccepted('a', 'EMAIL', 4 * MIB);
    assert.equal(limit(), 3 * MIB);
    limits.noteAccepted('a', 'SMS', 3 * MIB + 1);
    assert.equal(limit(), Number.POSITIVE_INFINITY);
    assert.match(log.lines.at(-1) ?? '', /Leadway accepts files above 3 MB again/);
  });

  it('is told without the location, but to the operator', () => {
    limits.noteRejected('location1', 'SMS', 3 * MIB);
    limits.noteRejected('location2', 'WHATSAPP', 2 * MIB);
    const { text = '', detail = '' } = limits.notice() ?? {};
    assert.equal(text, 'Leadway rejects files above 2 MB');
    assert.match(detail, /location2, WHATSAPP: .* above 2 MB.*; location1, SMS: .* above 3 MB/);
  });

  it('does not grow with the channels that clients make up', () => {
    for (let index = 0; index < 1_000; index += 1) limits.noteRejected('a', `C${index}`, 2 * MIB);
    assert.equal(limits.notice()?.detail.split(';').length, 200);
    limits.noteRejected('a', 'C999', 2 * MIB - 1);
    assert.equal(limits.notice()?.detail.split(';').length, 200);
  });
});

describe('a file that Leadway rejects by its size', () => {
  const FILM = mp4(4 * MIB);
  /** With signed URLs out of the way, `auto` can only forward. */
  const MUST_FORWARD = ['?mode=forward', '?mode=auto'];

  function start(options: TestServerOptions = {}): Promise<TestServer> {
    return createTestServer({
      ...options,
      sandbox: { maxUploadBytes: 3 * MIB, ...options.sandbox },
    });
  }

  async function send(
    testServer: TestServer,
    content: Buffer,
    {
      size = content.length,
      path = '?mode=forward',
      more = {},
    }: { size?: number | null; path?: string; more?: Readonly<Record<string, string>> } & Call = {},
  ): Promise<Reply> {
    const declared = size === null ? [] : fields({ fileSize: size });
    return sendForm(
      testServer,
      [...fields({ ...testServer.fields, ...more }), ...declared, file('film.mp4', content)],
      { path },
    );
  }

  const configOf = async (testServer: TestServer, headers = {}) =>
    JSON.parse((await call(`${testServer.api}/config`, { method: 'GET', headers })).text);
  const noticesOf = async (testServer: TestServer): Promise<string[]> =>
    JSON.parse((await call(`${testServer.url}/readyz`, { method: 'GET' })).text).notices;

  for (const path of MUST_FORWARD) {
    it(`is the last one of its size to be sent upstream (${path})`, async () => {
      await using testServer = await start({ sandbox: { fault: 'no-initiate' } });
      const direct = await send(testServer, mp4(100_000), { path: '?mode=direct' });
      assert.equal(direct.body.code, 'DIRECT_UNAVAILABLE');
      const first = await send(testServer, FILM, { path });
      assert.equal(`${first.status} ${first.body.code}`, '413 UPSTREAM_REJECTED', first.text);
      const before = testServer.sandbox.requests.length;
      const second = await send(testServer, mp4(4 * MIB + 1), { path });
      assert.equal(`${second.status} ${second.body.code}`, '413 FILE_TOO_LARGE', second.text);
      assert.deepEqual(second.body.details, { limit: 4 * MIB, channel: 'SMS' });
      assert.match(second.body.message ?? '', /larger than 4 MB/);
      assert.equal(testServer.sandbox.requests.length, before);
      assert.equal((await configOf(testServer)).limits.forwardMaxBytes, 4 * MIB);
      assert((await noticesOf(testServer)).includes('Leadway rejects files above 4 MB'));
      assert.equal((await send(testServer, mp4(2 * MIB), { path })).status, 200);
    });
  }

  it('is the last one of its channel alone', async () => {
    await using testServer = await start();
    assert.equal((await send(testServer, FILM)).body.code, 'UPSTREAM_REJECTED');
    const other = await send(testServer, mp4(4 * MIB + 1), { more: { channel: 'EMAIL' } });
    assert.equal(other.body.code, 'UPSTREAM_REJECTED');
  });

  it('lets auto choose direct for the next one, without risking it for a check', async () => {
    await using testServer = await start();
    assert.equal((await send(testServer, FILM)).body.code, 'UPSTREAM_REJECTED');
    const before = seen(testServer, 'upload').length;
    const { status, body } = await send(testServer, mp4(4 * MIB + 1), { path: '' });
    assert.equal(`${status} ${body.mode}`, '202 direct');
    assert.equal(seen(testServer, 'upload').length, before);
    const suggested = await send(testServer, mp4(4 * MIB + 1));
    assert.equal(suggested.body.details?.['use'], 'direct');
  });

  it('cuts a file of unknown size where it passes the limit', async () => {
    await using testServer = await start({ sandbox: { maxUploadBytes: 4 * MIB - 1 } });
    assert.equal((await send(testServer, FILM)).body.code, 'UPSTREAM_REJECTED');
    testServer.sandbox.reset();
    const { status, body } = await send(testServer, mp4(4 * MIB + 300_000), { size: null });
    assert.equal(`${status} ${body.code}`, '413 FILE_TOO_LARGE');
    await testServer.assertClean();
  });

  it('says nothing when its size is not known or there are several', async () => {
    await using testServer = await start();
    const target = testServer.fields;
    using client = await beginUpload(testServer, null, [], '?mode=forward');
    const form = encodeForm([...fields(target), file('film.mp4', FILM)]).subarray(0, 3 * MIB + 100_000);
    await client.send(`${form.length.toString(16)}\r\n`);
    await client.send(form);
    assert.equal((await client.response()).body.code, 'UPSTREAM_REJECTED');
    await sendForm(testServer, [...fields(target), file('a.mp4', mp4(2 * MIB)), file('b.mp4', mp4(2 * MIB))]);
    assert.equal((await configOf(testServer)).limits.forwardMaxBytes, 5 * MIB);
    assert.deepEqual(await noticesOf(testServer), []);
  });

  it('is known as too large when it was sent whole before Leadway rejected it', async () => {
    await using testServer = await start({ sandbox: { maxUploadBytes: 100 * MIB } });
    const more = { conversationId: 'fault-status-413' };
    assert.equal((await send(testServer, FILM, { size: null, more })).body.code, 'UPSTREAM_REJECTED');
    assert.equal((await configOf(testServer)).limits.forwardMaxBytes, 4 * MIB);
    assert.equal((await send(testServer, mp4(4 * MIB + 1))).body.code, 'FILE_TOO_LARGE');
  });

  it('bounds what /config tells to the client’s own locations', async () => {
    const tokens = { one: 'token-of-one', two: 'token-of-two' };
    await using tokensFile = await createTempFile(JSON.stringify(tokens));
    await using testServer = await start({
      sandbox: { tokens },
      env: {
        LEADWAY_TOKEN: '',
        LEADWAY_LOCATION_ID: '',
        LEADWAY_TOKENS_FILE: tokensFile.path,
        AUTH: 'header',
        AUTH_LOCATIONS_HEADER: 'X-Locations',
        TRUST_PROXY: 'loopback',
      },
    });
    const as = (locations: string) => ({ 'X-Forwarded-User': 'ana', 'X-Locations': locations });
    const parts = [
      ...fields({ ...testServer.fields, locationId: 'two', fileSize: FILM.length }),
      file('film.mp4', FILM),
    ];
    const rejected = await sendForm(testServer, parts, { path: '?mode=forward', headers: as('one,two') });
    assert.equal(rejected.body.code, 'UPSTREAM_REJECTED', rejected.text);
    const limitOf = async (headers = {}) => (await configOf(testServer, headers)).limits.forwardMaxBytes;
    assert.equal(await limitOf(as('one')), 5 * MIB);
    assert.equal(await limitOf(as('two')), 4 * MIB);
    assert.equal(await limitOf(as('one,two')), 4 * MIB);
    assert.equal(await limitOf(), 4 * MIB);
  });

  for (const isDeclared of [true, false]) {
    it(`is let through after five minutes, its size ${isDeclared ? '' : 'not '}declared, to check the limit`, async () => {
      await using testServer = await start();
      let now = 0;
      const { logger, uploads } = testServer.server.context;
      const sizeLimits = createSizeLimits({ maxBytes: 5 * MIB, store: null, logger, now: () => now });
      const upload = (content: Buffer): Promise<UploadResponse> =>
        receive({ ...uploads, sizeLimits }, testServer.fields, content, isDeclared);
      sizeLimits.noteRejected(testServer.sandbox.locationId, 'SMS', 2 * MIB);
      await assert.rejects(upload(FILM), { code: 'FILE_TOO_LARGE' });
      now = CHECK_MS;
      await assert.rejects(upload(FILM), { code: 'UPSTREAM_REJECTED' });
      await assert.rejects(upload(FILM), { code: 'FILE_TOO_LARGE' });
      now += CHECK_MS;
      assert.equal((await upload(mp4(3 * MIB))).mode, 'forward');
      assert.equal(sizeLimits.notice(), null);
      assert.equal((await upload(mp4(3 * MIB))).mode, 'forward');
    });
  }
});

/** Uploads a file as the routes do, with `mode=forward`. */
async function receive(
  context: UploadContext,
  target: Readonly<Record<string, string>>,
  content: Buffer,
  isDeclared: boolean,
): Promise<UploadResponse> {
  const client = { id: 'c', locations: null, isByCookie: false };
  const upload = new Upload(context, {
    client,
    mode: 'forward',
    locationId: null,
    contentLength: null,
    closingBytes: 0,
  });
  upload.fieldsChanged({ ...target, ...(isDeclared && { fileSize: String(content.length) }) });
  const stream = new FileStream(() => {});
  const received = upload.receiveFile({ filename: 'film.mp4', declaredType: null, stream, offset: 0 });
  for (let at = 0; at < content.length; at += 65_536) {
    stream.push(Buffer.from(content.subarray(at, at + 65_536)));
  }
  stream.end();
  await received.then(
    () => upload.onFormEnd(),
    () => {},
  );
  return upload.response;
}

describe('what Leadway is known to reject by size, on several replicas', function () {
  needsRedis(this);

  it('is known to all of them, and so is that it is over', async () => {
    await using redis = await startRedis();
    await using resources = new AsyncDisposableStack();
    const sandbox = resources.adopt(await createSandbox({ maxUploadBytes: 3 * MIB }), (opened) =>
      opened.close(),
    );
    const env = { REDIS_URL: redis.url, TICKET_SECRETS: 't'.repeat(32) };
    await using one = await createTestServer({ env, upstream: sandbox });
    await using two = await createTestServer({ env, upstream: sandbox });
    const servers = [one, two];
    await settled(() => servers.every(({ server }) => server.context.sharedStore?.isUp), 'Redis is there');
    const send = (testServer: TestServer, content: Buffer) =>
      sendForm(
        testServer,
        [...fields({ ...testServer.fields, fileSize: content.length }), file('film.mp4', content)],
        { path: '?mode=forward' },
      );

    assert.equal((await send(one, mp4(4 * MIB))).body.code, 'UPSTREAM_REJECTED');
    const before = sandbox.requests.length;
    const { body } = await send(two, mp4(4 * MIB + 1));
    assert.equal(body.code, 'FILE_TOO_LARGE');
    assert.equal(body.details?.['limit'], 4 * MIB);
    assert.equal(sandbox.requests.length, before);
    const config = await call(`${two.api}/config`, { method: 'GET' });
    assert.equal(JSON.parse(config.text).limits.forwardMaxBytes, 4 * MIB);

    const key = 'leadway-bff:size-limits';
    const [field = '', value = ''] = (await redis.command('HGETALL', key)) as string[];
    const [limit, ends] = value.split(' ');
    assert(Number(await redis.command('PTTL', key)) > HOUR_MS - 60_000);
    await redis.command('HSET', key, field, `${limit} ${ends} 0`);
    const replies = await Promise.all(servers.map((testServer) => send(testServer, mp4(4 * MIB + 1))));
    assert.deepEqual(replies.map((reply) => reply.body.code).sort(), ['FILE_TOO_LARGE', 'UPSTREAM_REJECTED']);

    const { sizeLimits } = one.server.context.uploads;
    sizeLimits.noteAccepted(sandbox.locationId, 'SMS', 5 * MIB);
    await settled(() => sizeLimits.notice() === null, 'it is forgotten here');
    await two.server.context.uploads.sizeLimits.refresh();
    await one.server.context.uploads.sizeLimits.refresh();
    await two.server.context.uploads.sizeLimits.refresh();
    assert.equal(two.server.context.uploads.sizeLimits.notice(), null);
  });
});
