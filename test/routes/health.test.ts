import assert from 'node:assert/strict';
import request from 'supertest';
import { createHouse, type House } from '../helpers/house.ts';

describe('the probes', () => {
  let house: House;
  beforeEach(async () => {
    house = await createHouse();
  });
  afterEach(() => house[Symbol.asyncDispose]());

  it('say that the process is up and wants requests', async () => {
    const health = await request(house.url).get('/healthz').expect(200);
    assert.deepEqual(health.body, { status: 'ok' });
    const ready = await request(house.url).get('/readyz').expect(200);
    assert.deepEqual(ready.body, { status: 'ready', reasons: [], notices: [] });
    for (const { headers } of [health, ready]) assert.equal(headers['cache-control'], 'no-store');
  });

  it('answer HEAD', async () => {
    await request(house.url).head('/healthz').expect(200);
    await request(house.url).head('/readyz').expect(200);
  });

  it('say why no requests are wanted, while the process is up all the same', async () => {
    house.server.context.lifecycle.addCheck(() => 'redis does not answer');
    house.server.context.lifecycle.markDraining();
    const ready = await request(house.url).get('/readyz').expect(503);
    assert.deepEqual(ready.body, {
      status: 'not ready',
      reasons: ['draining', 'redis does not answer'],
      notices: [],
    });
    await request(house.url).get('/healthz').expect(200);
  });

  it('are not under the base path', async () => {
    await request(house.api).get('/healthz').expect(404);
  });
});
