import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import { toRedisAddress } from '../../../server/config/redis-address.ts';
import { createAuthority } from '../../helpers/certificates.ts';
import { freePort } from '../../helpers/free-port.ts';
import { needsPrograms } from '../../helpers/programs.ts';
import { MASTER_NAME, needsRedis, startRedis, startSentinel, type TestRedis } from '../../helpers/redis.ts';
import { createTempFile } from '../../helpers/temp-file.ts';
import { createTestServer, settled, type TestServer } from '../../helpers/test-server.ts';
import { startProgram } from '../program.ts';

const LIMIT = 12;

const isUp = (testServer: TestServer): boolean => testServer.server.context.sharedStore?.isUp === true;

const testServerWith = (url: string): Promise<TestServer> =>
  createTestServer({
    env: { REDIS_URL: url, RATE_LIMIT_MAX: `${LIMIT}`, RATE_LIMIT_WINDOW_MS: '60000' },
  });

/** Whether a call that does nothing was let through by the limit. */
async function isLetThrough(testServer: TestServer): Promise<boolean> {
  const response = await fetch(`${testServer.api}/messages/upload`);
  await response.arrayBuffer();
  assert([405, 429].includes(response.status), `${response.status}`);
  return response.status === 405;
}

/** How many of `count` calls, sent at once in turns to all test servers, were let through. */
async function letThrough(servers: readonly TestServer[], count: number): Promise<number> {
  const calls = Array.from({ length: count }, (_, index) =>
    isLetThrough(servers[index % servers.length] as TestServer),
  );
  return (await Promise.all(calls)).filter((isLet) => isLet).length;
}

describe('REDIS_URL', () => {
  it('is taken apart, with what is percent-encoded', () => {
    assert.deepEqual(toRedisAddress('rediss://a%40b:p%2Fw@[fd00::1]:6380/3'), {
      hasTls: true,
      username: 'a@b',
      password: 'p/w',
      database: 3,
      nodes: [{ host: 'fd00::1', port: 6380 }],
      masterName: null,
    });
    assert.deepEqual(toRedisAddress('valkey://:a@b@valkey'), {
      hasTls: false,
      username: null,
      password: 'a@b',
      database: 0,
      nodes: [{ host: 'valkey', port: 6379 }],
      masterName: null,
    });
    assert.deepEqual(toRedisAddress('redis+sentinel://:secret@s1,s2:26380,[::1]/main/2'), {
      hasTls: false,
      username: null,
      password: 'secret',
      database: 2,
      nodes: [
        { host: 's1', port: 26_379 },
        { host: 's2', port: 26_380 },
        { host: '::1', port: 26_379 },
      ],
      masterName: 'main',
    });
  });

  describe('with a real Redis', function suite() {
    needsRedis(this);

    it('may begin with valkey://, and name a user and a database', async () => {
      await using redis = await startRedis('--requirepass', 'a-test-password');
      const url = redis.url.replace('redis://:', 'valkey://default:');
      await using testServer = await testServerWith(`${url}/1`);
      await settled(() => isUp(testServer), 'Redis is there');
      assert.equal(await letThrough([testServer], 3 * LIMIT), LIMIT);
      assert.match(String(await redis.command('INFO', 'keyspace')), /^db1:/m);
    });

    it('may be that of a Redis over TLS, whose certificate is checked', async function () {
      needsPrograms(this, 'openssl');
      using authority = createAuthority();
      const { key, cert } = authority.issue('localhost');
      await using keyFile = await createTempFile(key.toString());
      await using certFile = await createTempFile(cert.toString());
      const port = await freePort();
      const tls = ['--tls-port', `${port}`, '--tls-cert-file', certFile.path, '--tls-key-file', keyFile.path];
      await using _redis = await startRedis(...tls, '--tls-auth-clients', 'no');
      const env = {
        LEADWAY_TOKEN: 'a-test-token',
        LEADWAY_LOCATION_ID: 'location1',
        LEADWAY_BASE_URL: 'http://127.0.0.1:9',
        REDIS_URL: `rediss://localhost:${port}`,
      };
      await using trusting = startProgram({ env: { ...env, NODE_EXTRA_CA_CERTS: authority.file } });
      await trusting.until(/Redis responds/);
      await using other = startProgram({ env });
      await other.until(/"reason":"[^"]*certificate.*Redis is down/);
    });

    it('sends the name of the host in the TLS handshake', async function () {
      needsPrograms(this, 'openssl');
      await using redis = await startRedis();
      using authority = createAuthority();
      const names: unknown[] = [];
      const front = createServer({ ...authority.issue('localhost') }, (socket) => {
        names.push(socket.servername);
        socket
          .pipe(connect(redis.port, '127.0.0.1'))
          .on('error', () => {})
          .pipe(socket);
        socket.on('error', () => {});
      }).listen(0, '127.0.0.1');
      await once(front, 'listening');
      await using program = startProgram({
        env: {
          LEADWAY_TOKEN: 'a-test-token',
          LEADWAY_LOCATION_ID: 'location1',
          LEADWAY_BASE_URL: 'http://127.0.0.1:9',
          REDIS_URL: `rediss://localhost:${(front.address() as AddressInfo).port}`,
          NODE_EXTRA_CA_CERTS: authority.file,
        },
      });
      await program.until(/Redis responds/);
      assert.deepEqual(names, ['localhost']);
      front.close();
    });
  });

  describe('with real Sentinels', function suite() {
    needsRedis(this);
    this.timeout(20_000);

    /** Resolves when a replica has everything that `master` has taken. */
    const replicated = (master: TestRedis): Promise<unknown> => master.command('WAIT', '1', '5000');

    it('follows a failover under load, and keeps the limit within its window', async () => {
      await using master = await startRedis();
      await using replica = await startRedis('--replicaof', '127.0.0.1', `${master.port}`);
      await using sentinel = await startSentinel(master);
      // The first one is down.
      const url = `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/${MASTER_NAME}`;
      await using first = await testServerWith(url);
      await using second = await testServerWith(url);
      const servers = [first, second];
      await settled(() => servers.every(isUp), 'Redis is there', 5_000);
      assert.equal(await letThrough(servers, 3 * LIMIT), LIMIT);
      await replicated(master);
      // Before it has found the replica, a Sentinel can't replace the master.
      while (((await sentinel.command('SENTINEL', 'REPLICAS', MASTER_NAME)) as unknown[]).length === 0);

      await master.kill();
      let isOver = false;
      let letThroughMeanwhile = 0;
      const load = servers.map(async (testServer) => {
        while (!isOver) if (await isLetThrough(testServer)) letThroughMeanwhile += 1;
      });
      await settled(() => !servers.some(isUp), 'Redis is down');
      await settled(() => servers.every(isUp), 'the new master is used', 15_000);
      isOver = true;
      await Promise.all(load);
      assert.match(String(await replica.command('INFO', 'replication')), /role:master/);
      assert(letThroughMeanwhile <= servers.length * LIMIT, `${letThroughMeanwhile} calls let through`);
      assert.equal(await letThrough(servers, 2 * LIMIT), 0, 'the replica has the count');
    });

    it('gives Sentinels that ask for a password the same one', async () => {
      const password = 'a-test-password';
      await using master = await startRedis('--requirepass', password);
      await using sentinel = await startSentinel(master, password);
      await using testServer = await testServerWith(
        `redis+sentinel://:${password}@127.0.0.1:${sentinel.port}/${MASTER_NAME}`,
      );
      await settled(() => isUp(testServer), 'Redis is there', 5_000);
    });

    it('logs once what is wrong with a name that no Sentinel knows', async () => {
      await using master = await startRedis();
      await using sentinel = await startSentinel(master);
      await using testServer = await testServerWith(`redis+sentinel://127.0.0.1:${sentinel.port}/another`);
      const lines = () => testServer.log.entries.filter(({ msg }) => String(msg).includes('Redis is down'));
      await settled(() => lines().length > 0, 'it is logged');
      assert.match(String(lines()[0]?.['reason']), /knows no server called another/);
      assert(await isLetThrough(testServer));
    });
  });
});
