import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { call } from '../helpers/direct-steps.ts';
import { createTestServer, settled, type TestServer } from '../helpers/test-server.ts';
import { dial } from '../server/http/wire.ts';

const PATH = '/messages/upload/initiate';

describe('a body of JSON', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());

  const description = (filename: string) =>
    Buffer.from(JSON.stringify({ ...testServer.fields, filename, contentType: 'text/plain' }));
  const head = (requestId: string, length: number) =>
    `POST /api${PATH} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${requestId}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  const send = (body: string | Buffer) =>
    call(`${testServer.api}${PATH}`, { headers: { 'Content-Type': 'application/json' }, body });

  it('may come in pieces, cut within a character', async () => {
    const body = description('añadido 文件.txt');
    using wire = await dial(testServer.url, head('pieces', body.length));
    for (const byte of body) {
      wire.send(Buffer.of(byte));
      await setImmediate(); // so that each is a separate piece
    }
    const { status, body: response } = await wire.response();
    assert.equal(status, 200);
    assert.equal((JSON.parse(response) as { filename: string }).filename, 'añadido 文件.txt');
  });

  it('may begin with a byte order mark', async () => {
    assert.equal((await send(Buffer.concat([Buffer.from('\ufeff'), description('a.txt')]))).status, 200);
  });

  it('of no bytes lacks its fields, as an empty object does', async () => {
    for (const body of ['', '{}']) {
      const { status, body: response } = await send(body);
      assert.deepEqual([status, response['code']], [400, 'MISSING_FIELD']);
    }
  });

  it('whose client disconnects in the middle is not our error, and asks Leadway for nothing', async () => {
    testServer.sandbox.reset();
    const wire = await dial(testServer.url, `${head('left', 99)}{"a":`);
    await settled(() => testServer.server.context.activity.requests === 1, 'in flight');
    wire.socket.destroy();
    const lines = () => testServer.log.entries.filter((entry) => entry['requestId'] === 'left');
    await settled(() => lines().length > 0, 'a line of the one that left');
    assert.deepEqual(
      lines().map(({ level, status }) => [level, status]),
      [['info', 499]],
    );
    assert.deepEqual(testServer.sandbox.requests, []);
  });
});
