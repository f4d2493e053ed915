import assert from 'node:assert/strict';
import request from 'supertest';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

describe('the probes', () => {
  let testServer: TestServer;
  beforeEach(async () => {
    testServer = await createTestServer();
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('say that the process is up and wants requests', async () => {
    const health = await request(testServer.url).get('/healthz').expect(200);
    assert.deepEqual(health.body, { status: 'ok' });
    const ready = await request(testServer.url).get('/readyz').expect(200);
    assert.deepEqual(ready.body, { status: 'ready', reasons: [], notices: [] });
    for (const { headers } of [health, ready]) assert.equal(headers['cache-control'], 'no-store');
  });

  it('respond to HEAD', async () => {
    await request(testServer.url).head('/healthz').expect(200);
    await request(testServer.url).head('/readyz').expect(200);
  });

  it('say why no requests are wanted, though the process is up', async () => {
    testServer.server.context.lifecycle.addCheck(() => ({
      text: 'the scanner is down',
      detail: 'clamd at tcp://scanner:3310 does not scan',
    }));
    testServer.server.context.lifecycle.markDraining();
    const ready = await request(testServer.url).get('/readyz').expect(503);
    assert.deepEqual(ready.body, {
      status: 'not ready',
      reasons: ['draining', 'the scanner is down'],
      notices: [],
    });
    await request(testServer.url).get('/healthz').expect(200);
  });

  it('are not under the base path', async () => {
    await request(testServer.api).get('/healthz').expect(404);
  });
});
