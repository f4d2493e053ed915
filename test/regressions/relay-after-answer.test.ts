import assert from 'node:assert/strict';
import { complete, initiated, type StepBody, seen } from '../helpers/direct-steps.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture } from '../helpers/multipart.ts';
import { connectTo, type RawCaller } from '../helpers/raw-caller.ts';

const FILE_BYTES = 400_000;

describe('a relayed file whose answer comes before its end', () => {
  let house: House;
  before(async () => {
    house = await createHouse({ env: { UPLOAD_IDLE_TIMEOUT_MS: '300' } });
  });
  beforeEach(() => house.sandbox.reset());
  afterEach(() => house.assertTidy());
  after(() => house[Symbol.asyncDispose]());

  async function begin(): Promise<{ caller: RawCaller; step: StepBody }> {
    const step = await initiated(house, {
      filename: 'a.png',
      contentType: 'image/png',
      fileSize: FILE_BYTES,
    });
    const caller = await connectTo(house);
    const head = [
      'PUT /api/messages/upload/content HTTP/1.1',
      'Host: localhost',
      `Upload-Ticket: ${step.ticket}`,
      'Content-Type: image/png',
      `Content-Length: ${FILE_BYTES}`,
    ];
    await caller.send(`${head.join('\r\n')}\r\n\r\n`);
    return { caller, step };
  }

  it('is read to its end after it is rejected by its leading bytes', async () => {
    const { caller } = await begin();
    using _caller = caller;
    await caller.send(Buffer.alloc(FILE_BYTES - 1, 'x'));
    assert.match((await caller.answer()).text, /"TYPE_MISMATCH"/);
    assert.equal(caller.socket.destroyed, false);
    await caller.send('x');
    await caller.closed;
  });

  for (const bytes of [10, 100_000]) {
    it(`is not stored when its time-out was answered after ${bytes} bytes and the rest comes then`, async () => {
      const content = Buffer.concat([fixture('picture.png'), Buffer.alloc(FILE_BYTES)]).subarray(
        0,
        FILE_BYTES,
      );
      const { caller, step } = await begin();
      using _caller = caller;
      await caller.send(content.subarray(0, bytes));
      assert.equal((await caller.answer()).status, 408);
      await caller.send(content.subarray(bytes));
      await caller.closed;
      assert(seen(house, 'put').every((put) => !put.complete));
      assert.equal((await complete(house, { ticket: step.ticket })).status, 404);
    });
  }
});
