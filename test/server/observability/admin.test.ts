import assert from 'node:assert/strict';
import { createTestServer } from '../../helpers/test-server.ts';
import { startProgram } from '../program.ts';

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

  it('has the details of a notice, which the public port leaves out', async () => {
    await using testServer = await createTestServer({ env: { ADMIN_PORT: '0' } });
    testServer.server.context.lifecycle.addNotice(() => ({
      text: 'Redis is away',
      detail: 'Redis is away: ECONNREFUSED',
    }));
    const notices = async (url: string | null) =>
      ((await (await fetch(`${url}/readyz`)).json()) as { notices: unknown }).notices;
    assert.deepEqual(await notices(testServer.url), ['Redis is away']);
    assert.deepEqual(await notices(testServer.server.adminUrl), ['Redis is away: ECONNREFUSED']);
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
