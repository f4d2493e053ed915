import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { closing, encodeForm, mp4, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';
import { createTestServer } from '../helpers/test-server.ts';

const MIB = 1024 * 1024;
const TOTAL = 30 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is still held when all garbage is gone. */
function heldMemory(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

describe('a forwarded upload to a Leadway that is slower than the client', () => {
  it('holds the client back instead of piling its bytes up', async () => {
    await using testServer = await createTestServer({
      env: { FORWARD_MAX_BYTES: String(TOTAL) },
      sandbox: { readBytesPerSecond: 40 * MIB, discardFiles: true },
    });
    const fields = encodeForm(textParts(testServer.fields)).subarray(0, -closing().length);
    const opening = Buffer.concat([fields, partHead(filePart('a.mp4', '')), mp4(MIB)]);
    const ending = Buffer.concat([Buffer.from('\r\n'), closing()]);
    const piece = Buffer.alloc(MIB, 0x55);
    using client = await beginUpload(testServer, opening.length + TOTAL - MIB + ending.length);
    const before = heldMemory();
    let most = 0;
    let aheadMost = 0;
    await client.send(opening);
    for (let sent = MIB; sent < TOTAL; sent += MIB) {
      // The client's side is in this process too, so it has one piece in flight at a time.
      await client.send(piece);
      most = Math.max(most, heldMemory() - before);
      aheadMost = Math.max(aheadMost, sent - (testServer.sandbox.requests[0]?.bodyBytes ?? 0));
    }
    await client.send(ending);
    const response = await client.response();
    assert.equal(response.status, 200, response.text);
    assert.equal(testServer.sandbox.requests[0]?.files?.[0]?.size, TOTAL);
    assert(most < 24 * MIB, `held ${Math.round(most / MIB)} MiB`);
    assert(aheadMost < TOTAL - 8 * MIB, `the client was ${aheadMost} bytes ahead, so nothing held it back`);
    await testServer.assertClean({ completeUploads: 1 });
  });
});
