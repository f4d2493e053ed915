import assert from 'node:assert/strict';
import { loadConfig } from '../../server/config/config.ts';
import { createLogger } from '../../server/logger.ts';
import { startServer } from '../../server/server.ts';
import { createHouse, settled } from '../helpers/house.ts';
import { LogSink } from '../helpers/log-sink.ts';
import { FORM_TYPE } from '../helpers/multipart.ts';
import { assertError } from './errors/assert-error.ts';
import { dial } from './http/wire.ts';

const BEGUN = `POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: 1000\r\n\r\n`;

describe('a server', () => {
  it('drains at once when nothing is under way', async () => {
    await using house = await createHouse();
    assert.equal(await house.server.drain(3_600_000), true);
    assert.equal(house.server.openConnections(), 0);
    await assert.rejects(fetch(`${house.url}/healthz`));
  });

  it('cuts what outlasts the grace, and says so', async () => {
    await using house = await createHouse();
    using wire = await dial(house.url, BEGUN);
    await settled(() => house.server.context.activity.requests === 1, 'the upload has begun');
    assert.equal(await house.server.drain(50), false);
    await wire.closed;
    await house.assertTidy();
  });

  it('cuts it at once when hurried', async () => {
    await using house = await createHouse();
    using wire = await dial(house.url, BEGUN);
    await settled(() => house.server.context.activity.requests === 1, 'the upload has begun');
    const hurry = new AbortController();
    const drained = house.server.drain(3_600_000, hurry.signal);
    hurry.abort();
    assert.equal(await drained, false);
    await wire.closed;
  });

  it('lets a caller who is refused while it drains read the answer, body and all', async () => {
    await using house = await createHouse();
    house.server.context.lifecycle.markDraining();
    using wire = await dial(house.url, `${BEGUN}--`);
    assertError(await wire.answer(), 'DRAINING');
    const drained = house.server.drain(1_000);
    wire.send(Buffer.alloc(998));
    wire.socket.once('error', assert.fail); // a reset
    assert.equal(await drained, true);
    await wire.closed;
  });

  it('leaves nothing behind when its port is taken', async () => {
    await using house = await createHouse();
    const port = new URL(house.url).port;
    const loaded = loadConfig({
      HOST: '127.0.0.1',
      PORT: port,
      LEADWAY_TOKEN: 'token',
      LEADWAY_LOCATION_ID: 'location',
    });
    assert(loaded.ok);
    const logger = await createLogger({ level: 'silent', destination: new LogSink() });
    await assert.rejects(startServer(loaded.config, loaded.secrets, logger), { code: 'EADDRINUSE' });
  });

  for (const [host, listensOn, url = listensOn] of [
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/, /^http:\/\/127\.0\.0\.1:\d+$/],
    ['::1', /^http:\/\/\[::1\]:\d+$/],
    ['::', /^http:\/\/\[::\]:\d+$/, /^http:\/\/127\.0\.0\.1:\d+$/],
    ['localhost', /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/],
  ] as const) {
    it(`tells where it listens and an address that works, on ${host}`, async () => {
      await using house = await createHouse({ env: { HOST: host } });
      assert.match(house.server.listensOn, listensOn);
      assert.match(house.url, url);
      assert.equal((await fetch(`${house.url}/readyz`)).status, 200);
    });
  }
});
