import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { type Answer, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

/** A ZIP whose head is fine and whose directory is missing: only the end of the file shows it. */
const brokenZip = filePart('broken.zip', fixture('truncated.zip'));
const film = filePart('a.mp4', mp4(600_000));
const picture = filePart('a.png', fixture('picture.png'));

describe('several files in one upload', () => {
  let house: House;
  let fields: Part[];
  beforeEach(async () => {
    house = await createHouse();
    fields = textParts(house.fields);
  });
  afterEach(() => house[Symbol.asyncDispose]());

  function assertMismatch(answer: Answer): void {
    assert.equal(answer.status, 415, answer.text);
    assert.equal(answer.body.code, 'TYPE_MISMATCH');
  }

  it('are each judged to their end, wherever the bad one stands', async () => {
    assertMismatch(await sendUpload(house, [...fields, brokenZip]));
    const orders = [
      [brokenZip, film],
      [film, brokenZip],
      [brokenZip, picture],
      [picture, brokenZip],
      [picture, brokenZip, film],
      [film, brokenZip, film],
    ];
    for (const files of orders) assertMismatch(await sendUpload(house, [...fields, ...files]));
    await house.assertTidy();
  });

  it('of which one is over 4 KiB and one under come to Leadway whole', async () => {
    const names = ['a.txt', 'b.mpg', 'c.png', 'd.pdf', 'e.txt'];
    const contents = [
      Buffer.from('x'),
      fixture('program-mpeg2.mpg'),
      fixture('picture.png'),
      fixture('writer.pdf'),
      Buffer.alloc(4_100, 'y'),
    ];
    const files = names.map((name, index) => filePart(name, contents[index] ?? ''));
    const answer = await sendUpload(house, [...fields, ...files]);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(
      house.sandbox.requests[0]?.files?.map(({ name, size }) => [name, size]),
      names.map((name, index) => [name, contents[index]?.length]),
    );
    await house.assertTidy({ completeUploads: 1 });
  });

  it('of every size around the head and the hold arrive byte for byte', async () => {
    for (const size of [1, 4_099, 4_100, 4_101, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145]) {
      const answer = await sendUpload(house, [
        ...fields,
        filePart('a.txt', Buffer.alloc(size, 'z')),
        picture,
      ]);
      assert.equal(answer.status, 200, `${size}: ${answer.text}`);
      assert.equal(house.sandbox.requests.at(-1)?.files?.[0]?.size, size);
      assert.equal(house.sandbox.requests.at(-1)?.files?.[1]?.size, picture.content.length);
    }
    await house.assertTidy({ completeUploads: 10 });
  });
});
