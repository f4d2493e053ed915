import assert from 'node:assert/strict';
import { encodeForm, mp4 } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer } from '../helpers/test-server.ts';

/** Every `size` bytes of `content` as a separate HTTP chunk. */
function inChunks(content: Buffer, size: number): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    chunks.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat(chunks);
}

describe('a body in tiny chunks', () => {
  it('is rejected when it goes on and on byte by byte, before its end', async () => {
    await using testServer = await createTestServer();
    const form = encodeForm([...textParts(testServer.fields), filePart('a.mp4', mp4(100_000))]);
    using client = await beginUpload(testServer, null);
    await client.send(inChunks(form.subarray(0, 60_000), 1)); // and no end
    const response = await client.response();
    assert.equal(`${response.status} ${response.body.code}`, '400 BAD_REQUEST', response.text);
    assert.match(response.body.message ?? '', /chunks of a few bytes/);
    client.leave();
    await testServer.assertClean();
  });

  it('is an upload like any other while it is short, or its chunks are merely small', async () => {
    await using testServer = await createTestServer();
    for (const [bytes, size] of [
      [10_000, 1],
      [600_000, 10],
    ] as const) {
      const film = mp4(bytes);
      const form = encodeForm([...textParts(testServer.fields), filePart('a.mp4', film)]);
      using client = await beginUpload(testServer, null);
      await client.send(Buffer.concat([inChunks(form, size), Buffer.from('0\r\n\r\n')]));
      const response = await client.response();
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(film));
    }
    await testServer.assertClean({ completeUploads: 2 });
  });
});
