import assert from 'node:assert/strict';
import { createSandbox, type Sandbox } from '../../sandbox/index.ts';
import { createLogger } from '../../server/logger.ts';
import { openSharedStore } from '../../server/redis/store.ts';
import { createClientSlots } from '../../server/uploads/slots.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { fixture } from '../helpers/multipart.ts';
import { beginUpload, type RawClient } from '../helpers/raw-client.ts';
import { needsRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';

const MAX = 3;
const isUp = (testServer: TestServer): boolean => testServer.server.context.sharedStore?.isUp === true;

async function replicas(
  redis: TestRedis,
  sandbox: Sandbox,
): Promise<[TestServer, TestServer, TestServer] & AsyncDisposable> {
  const make = (): Promise<TestServer> =>
    createTestServer({
      upstream: sandbox,
      env: {
        REDIS_URL: redis.url,
        MAX_CONCURRENT_UPLOADS_PER_CALLER: `${MAX}`,
        TICKET_SECRETS: 't'.repeat(32),
      },
    });
  const servers: [TestServer, TestServer, TestServer] = [await make(), await make(), await make()];
  await settled(() => servers.every(isUp), 'Redis is there');
  return Object.assign(servers, {
    async [Symbol.asyncDispose]() {
      for (const testServer of servers) await testServer[Symbol.asyncDispose]();
    },
  });
}

const small = (testServer: TestServer) =>
  sendUpload(testServer, [...textParts(testServer.fields), filePart('a.png', fixture('picture.png'))]);

/** Uploads that have a place and go no further. */
async function occupy(servers: readonly TestServer[], count: number): Promise<RawClient[]> {
  const before = servers.reduce((sum, { server }) => sum + server.context.slots.taken, 0);
  const clients = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      beginUpload(servers[index % servers.length] as TestServer, 1_000),
    ),
  );
  await settled(
    () => servers.reduce((sum, { server }) => sum + server.context.slots.taken, 0) === before + count,
    'the slots are taken',
  );
  return clients;
}

/** Until an upload gets a place: releases travel to Redis by themselves. */
async function untilAccepted(testServer: TestServer): Promise<void> {
  let last = 0;
  for (let turn = 0; turn < 50 && last !== 200; turn += 1) last = (await small(testServer)).status;
  assert.equal(last, 200, 'no place became free');
}

describe('The uploads of one client at three replicas with one Redis', function suite() {
  needsRedis(this);
  let redis: TestRedis;

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.kill());

  it('have their slots in common, and release them when the clients leave', async () => {
    await using sandbox = await createSandbox();
    await using servers = await replicas(redis, sandbox);
    const clients = await occupy(servers, MAX);
    for (const testServer of servers) {
      const { status, body, headers } = await small(testServer);
      assert.deepEqual({ status, code: body.code }, { status: 429, code: 'TOO_MANY_UPLOADS' });
      assert(Number(headers['retry-after']) >= 1);
    }
    for (const client of clients) client.leave();
    await untilAccepted(servers[0]);
    await settled(() => servers.every(({ server }) => server.context.slots.taken === 0), 'slots are free');
  });

  it('never get more slots than there are when all ask at the same moment', async () => {
    await using sandbox = await createSandbox();
    await using servers = await replicas(redis, sandbox);
    const clients = await Promise.all(
      Array.from({ length: 12 }, (_, index) => beginUpload(servers[index % 3] as TestServer, 1_000)),
    );
    const rejected = (): number => clients.filter(({ received }) => received.includes('429')).length;
    await settled(() => rejected() === 12 - MAX, 'all but three are rejected');
    assert.equal(
      servers.reduce((sum, { server }) => sum + server.context.slots.taken, 0),
      MAX,
    );
    for (const client of clients) client.leave();
  });

  it('go on when Redis dies in the middle, with a place each process counts for itself', async () => {
    await using sandbox = await createSandbox();
    await using servers = await replicas(redis, sandbox);
    const clients = await occupy(servers, MAX);
    await redis.kill();
    assert.equal((await small(servers[0])).status, 200);
    const others = await occupy([servers[0]], MAX - 1);
    assert.equal((await small(servers[0])).body.code, 'TOO_MANY_UPLOADS');
    for (const client of [...clients, ...others]) client.leave();
    await settled(() => servers.every(({ server }) => server.context.slots.taken === 0), 'slots are free');
  });

  it('are free again when a replica with uploads in flight was killed', async () => {
    const logger = await createLogger({ level: 'silent', destination: new LogSink() });
    const open = async () => {
      const store = openSharedStore(redis.url, logger);
      await settled(() => store.isUp, 'Redis is there');
      return { store, slots: createClientSlots({ store, logger, leaseMs: 300 }) };
    };
    const dead = await open();
    const alive = await open();
    assert.notEqual(await dead.slots.take('ana', 1), null);
    assert.equal(await alive.slots.take('ana', 1), null);
    assert.notEqual(await alive.slots.take('eva', 1), null, 'another client has its own slots');
    // What a killed process does: nothing, from now on.
    dead.slots[Symbol.dispose]();
    await dead.store[Symbol.asyncDispose]();
    let isFree = false;
    while (!isFree) isFree = (await alive.slots.take('ana', 1)) !== null;

    // A living one renews what it holds, for longer than a lease lasts.
    await redis.command('FLUSHALL');
    const key = async () => ((await redis.command('KEYS', '*uploads*')) as string[]).length;
    while ((await key()) < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await alive.slots.take('ana', 1), null, 'an empty Redis is told what is held');
    alive.slots[Symbol.dispose]();
    await alive.store[Symbol.asyncDispose]();
  });

  it('count by the clock of Redis, so that a replica whose clock is wrong takes nobody’s place', async () => {
    const logger = await createLogger({ level: 'silent', destination: new LogSink() });
    await using store = openSharedStore(redis.url, logger);
    await settled(() => store.isUp, 'Redis is there');
    using slots = createClientSlots({ store, logger });
    assert.notEqual(await slots.take('ana', 1), null);
    const real = Date.now;
    try {
      Date.now = () => real() + 3_600_000;
      assert.equal(await slots.take('ana', 1), null);
    } finally {
      Date.now = real;
    }
  });
});
