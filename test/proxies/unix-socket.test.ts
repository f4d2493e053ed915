import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';
import { tempFolder } from '../server/program.ts';
import { PROXIES } from './proxies.ts';
import { send } from './send.ts';
import { acceptedUploads, assertExpected, upload } from './uploads.ts';
import { describeProxies, withProxy } from './with-proxy.ts';

const NGINX = PROXIES.filter(({ name }) => name === 'nginx');
const H2 = 'HTTP/2 with TLS';

const requestsOf = (testServer: TestServer) => testServer.log.entries.filter(({ msg }) => msg === 'request');

/** The status of a request that is sent on the socket itself. */
function statusOn(
  socketPath: string,
  headers: Readonly<Record<string, string>> = {},
  path = '/api/config',
): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, headers: { host: 'localhost', ...headers }, agent: false })
      .once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
      .once('error', reject)
      .end();
  });
}

describe('LISTEN, a unix socket', () => {
  describeProxies(NGINX, (setup) => {
    it('takes uploads of every mode, and the proxy’s word for the client’s address', async () => {
      await using folder = await tempFolder();
      const path = join(folder.path, 'bff.sock');
      {
        await using testServer = await createTestServer({ env: { LISTEN: path, TRUST_PROXY: 'loopback' } });
        assert.equal(testServer.url, `unix:${path}`);
        await withProxy(setup, H2, testServer.url, async (proxy) => {
          for (const item of acceptedUploads(testServer.fields)) {
            assertExpected(await send(proxy, H2, item.sending), item);
          }
          const { status } = await send(proxy, H2, {
            ...upload(testServer.fields, 'note.txt', Buffer.from('A note.')),
          });
          assert.equal(status, 200);
        });
        assert.deepEqual([...new Set(requestsOf(testServer).map(({ ip }) => ip))], ['127.0.0.1']);
        await testServer.assertClean({ completeUploads: 2 });
      }
      assert.equal(existsSync(path), false, 'the socket is gone with the server');
    });
  });

  const forwarded = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };

  it('counts its peers as one trusted proxy once TRUST_PROXY is set', async () => {
    for (const [trust, ip] of [
      ['1', '198.51.100.7'],
      ['2', '203.0.113.9'],
      ['192.0.2.1', '198.51.100.7'],
      ['198.51.100.0/24', '203.0.113.9'],
    ] as const) {
      await using folder = await tempFolder();
      const path = join(folder.path, 'bff.sock');
      await using testServer = await createTestServer({ env: { LISTEN: path, TRUST_PROXY: trust } });
      assert.equal(await statusOn(path, forwarded), 200);
      assert.equal(requestsOf(testServer)[0]?.['ip'], ip, `TRUST_PROXY=${trust}`);
      assert(!testServer.log.lines.some((line) => line.includes('is ignored')));
    }
  });

  it('lets a trusted proxy name the user (AUTH=header)', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    await using testServer = await createTestServer({
      env: { LISTEN: path, TRUST_PROXY: '1', AUTH: 'header' },
    });
    assert.equal(await statusOn(path, { 'x-forwarded-user': 'ana' }, '/api/messages/upload'), 405);
    assert.equal(await statusOn(path, {}, '/api/messages/upload'), 401);
    assert.equal(testServer.url, `unix:${path}`);
  });

  it('trusts nobody without TRUST_PROXY, and logs once what to set', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'bff.sock');
    await using testServer = await createTestServer({ env: { LISTEN: path } });
    for (let count = 0; count < 2; count += 1) assert.equal(await statusOn(path, forwarded), 200);
    assert.deepEqual(
      requestsOf(testServer).map(({ ip }) => ip),
      [undefined, undefined],
    );
    const warnings = testServer.log.entries.filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ msg }) => msg),
      [
        'x-forwarded-for from the unix socket is ignored, since TRUST_PROXY is not set. If it is your proxy, set TRUST_PROXY=1',
      ],
    );
  });
});
