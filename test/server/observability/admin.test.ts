import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../helpers/free-port.ts';
import { createTestServer, settled } from '../../helpers/test-server.ts';
import { startProgram, tempFolder } from '../program.ts';

interface Readiness {
  readonly reasons: readonly string[];
  readonly notices: readonly string[];
}

const CONFIGURED = { LEADWAY_TOKEN: 'pit-not-a-real-token', LEADWAY_LOCATION_ID: 'location1' };

describe('the admin port', () => {
  it('serves metrics and probes, and nothing else', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    const get = (path: string, method = 'GET') => fetch(`${testServer.server.adminUrl}${path}`, { method });
    assert.match((await get('/metrics')).headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    assert.equal((await get('/healthz')).status, 200);
    assert.deepEqual(await (await get('/readyz')).json(), { status: 'ready', reasons: [], notices: [] });
    assert.equal((await get('/metrics', 'POST')).status, 405);
    for (const path of ['/', '/api/config', '/api/messages/upload', '/metrics/x']) {
      assert.equal((await get(path)).status, 404, path);
    }
  });

  it('is the only one that serves metrics', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    assert.equal((await fetch(`${testServer.url}/metrics`)).status, 404);
    assert.equal((await fetch(`${testServer.api}/metrics`)).status, 404);
  });

  it('says of every reason and notice where and why, which the public port leaves out', async () => {
    await using folder = await tempFolder();
    const tokens = join(folder.path, 'tokens');
    await writeFile(tokens, 'pit-fake-token');
    const dead = await freePort();
    await using testServer = await createTestServer({
      env: {
        ADMIN_PORT: '0',
        LEADWAY_BASE_URL: `http://127.0.0.1:${dead}`,
        LEADWAY_TOKEN: '',
        LEADWAY_TOKEN_FILE: tokens,
        REDIS_URL: `redis://127.0.0.1:${dead}`,
        CLAMAV_URL: `tcp://127.0.0.1:${dead}`,
        AUTH: 'jwt',
        AUTH_JWT_ISSUER: `http://127.0.0.1:${dead}`,
        AUTH_JWT_AUDIENCE: 'bff',
        TICKET_SECRETS: 'x'.repeat(40),
      },
    });
    const { context, adminUrl } = testServer.server;
    await rm(tokens);
    await context.rereadTokens();
    context.probeLeadway();
    const { lifecycle } = context;
    await settled(
      () =>
        lifecycle.notices().length === 3 && lifecycle.reasons().every(({ text }) => /down|keys/.test(text)),
      'all of it is known',
    );
    const read = async (url: string | null) => {
      const { reasons, notices } = (await (await fetch(`${url}/readyz`)).json()) as Readiness;
      return [...reasons, ...notices];
    };
    const [open, admin] = [await read(testServer.url), await read(adminUrl)];
    assert.deepEqual(open, [
      'the malware scanner is down',
      'the keys of the token issuer can’t be read',
      'Redis is down: each process counts limits for itself',
      'Leadway can’t be reached',
      'The token file can’t be read; the last good token stays in use',
    ]);
    const where = [`tcp://127.0.0.1:${dead}`, `http://127.0.0.1:${dead}`, `:${dead}`, `:${dead}`, tokens];
    for (const [index, place] of where.entries()) assert(admin[index]?.includes(place), admin[index]);
    for (const detail of admin.slice(0, 4)) assert.match(detail, /refuse/i);
  });

  it('still responds while the server drains', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    testServer.server.context.activity.requests += 1; // a request in flight
    const stopped = testServer.server.drain({ graceMs: 3_600_000 });
    const ready = await fetch(`${testServer.server.adminUrl}/readyz`);
    assert.equal(ready.status, 503);
    testServer.server.context.activity.requests -= 1;
    assert.equal(await stopped, true);
    await assert.rejects(fetch(`${testServer.server.adminUrl}/healthz`));
  });

  it('is off by default, and its library is not loaded then', async () => {
    const hook = `import { registerHooks } from 'node:module';
      registerHooks({ load: (url, context, next) => {
        if (/prom-client|tdigest|observability.metrics/.test(url)) console.error('loaded ' + url);
        return next(url, context);
      } });`;
    for (const [env, loaded] of [
      [{}, /^$/],
      [{ ADMIN_PORT: '0' }, /loaded .*prom-client/],
    ] as const) {
      await using program = startProgram({
        env: {
          ...CONFIGURED,
          ...env,
          NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(hook)}"`,
        },
      });
      await program.until(/listening on/);
      assert.match(program.stderr, loaded);
    }
  });

  it('is printed, and says plainly that it can’t be opened', async () => {
    await using first = startProgram({ env: { ...CONFIGURED, ADMIN_PORT: '0' } });
    const [, port = ''] = await first.until(/metrics are at http:\/\/127\.0\.0\.1:(\d+)\/metrics/);
    await using second = startProgram({ env: { ...CONFIGURED, ADMIN_PORT: port } });
    assert.deepEqual(await second.ended, { code: 1, signal: null });
    assert.match(
      second.stderr,
      new RegExp(`^ADMIN_PORT: 127\\.0\\.0\\.1:${port} is in use\\. .*ADMIN_PORT=9091\\.\\n$`),
    );
  });
});
