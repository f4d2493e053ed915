import assert from 'node:assert/strict';
import { complete, initiated, type StepBody, seen } from '../helpers/direct-steps.ts';
import { fixture } from '../helpers/multipart.ts';
import { connectTo, type RawClient } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const FILE_BYTES = 400_000;

describe('a relayed file whose response comes before its end', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer({ env: { UPLOAD_IDLE_TIMEOUT_MS: '300' } });
  });
  beforeEach(() => testServer.sandbox.reset());
  afterEach(() => testServer.assertClean());
  after(() => testServer[Symbol.asyncDispose]());

  async function begin(): Promise<{ client: RawClient; step: StepBody }> {
    const step = await initiated(testServer, {
      filename: 'a.png',
      contentType: 'image/png',
      fileSize: FILE_BYTES,
    });
    const client = await connectTo(testServer);
    const head = [
      'PUT /api/messages/upload/content HTTP/1.1',
      'Host: localhost',
      `Upload-Ticket: ${step.ticket}`,
      'Content-Type: image/png',
      `Content-Length: ${FILE_BYTES}`,
    ];
    await client.send(`${head.join('\r\n')}\r\n\r\n`);
    return { client, step };
  }

  it('is read to its end after it is rejected by its leading bytes', async () => {
    const { client } = await begin();
    using _client = client;
    await client.send(Buffer.alloc(FILE_BYTES - 1, 'x'));
    assert.match((await client.response()).text, /"TYPE_MISMATCH"/);
    assert.equal(client.socket.destroyed, false);
    await client.send('x');
    await client.closed;
  });

  for (const bytes of [10, 100_000]) {
    it(`is not stored when its timeout was responded to after ${bytes} bytes and the rest comes then`, async () => {
      const content = Buffer.concat([fixture('picture.png'), Buffer.alloc(FILE_BYTES)]).subarray(
        0,
        FILE_BYTES,
      );
      const { client, step } = await begin();
      using _client = client;
      await client.send(content.subarray(0, bytes));
      assert.equal((await client.response()).status, 408);
      await client.send(content.subarray(bytes));
      await client.closed;
      assert(seen(testServer, 'put').every((put) => !put.complete));
      assert.equal((await complete(testServer, { ticket: step.ticket })).status, 404);
    });
  }
});
