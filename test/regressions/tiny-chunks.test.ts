import assert from 'node:assert/strict';
import { createHouse } from '../helpers/house.ts';
import { encodeForm, mp4 } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-caller.ts';
import { filePart, sha256, textParts } from '../helpers/send-upload.ts';

/** Every `size` bytes of `content` as an HTTP chunk of their own. */
function inChunks(content: Buffer, size: number): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) {
    const part = content.subarray(at, at + size);
    chunks.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat(chunks);
}

describe('a body in tiny chunks', () => {
  it('is refused when it goes on and on byte by byte, before its end', async () => {
    await using house = await createHouse();
    const form = encodeForm([...textParts(house.fields), filePart('a.mp4', mp4(100_000))]);
    using caller = await beginUpload(house, null);
    await caller.send(inChunks(form.subarray(0, 60_000), 1)); // and no end
    const answer = await caller.answer();
    assert.equal(`${answer.status} ${answer.body.code}`, '400 BAD_REQUEST', answer.text);
    assert.match(answer.body.message ?? '', /chunks of a few bytes/);
    caller.leave();
    await house.assertTidy();
  });

  it('is an upload like any other while it is short, or its chunks are merely small', async () => {
    await using house = await createHouse();
    for (const [bytes, size] of [
      [10_000, 1],
      [600_000, 10],
    ] as const) {
      const film = mp4(bytes);
      const form = encodeForm([...textParts(house.fields), filePart('a.mp4', film)]);
      using caller = await beginUpload(house, null);
      await caller.send(Buffer.concat([inChunks(form, size), Buffer.from('0\r\n\r\n')]));
      const answer = await caller.answer();
      assert.equal(answer.status, 200, answer.text);
      assert.equal(house.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(film));
    }
    await house.assertTidy({ completeUploads: 2 });
  });
});
