import assert from 'node:assert/strict';
import { fixture, mp4, type Part } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** A ZIP whose head is fine and whose directory is missing: only the end of the file shows it. */
const brokenZip = filePart('broken.zip', fixture('truncated.zip'));
const film = filePart('a.mp4', mp4(600_000));
const picture = filePart('a.png', fixture('picture.png'));

describe('several files in one upload', () => {
  let testServer: TestServer;
  let fields: Part[];
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  function assertMismatch(response: ApiResponse): void {
    assert.equal(response.status, 415, response.text);
    assert.equal(response.body.code, 'TYPE_MISMATCH');
  }

  it('are each judged to their end, wherever the bad one stands', async () => {
    assertMismatch(await sendUpload(testServer, [...fields, brokenZip]));
    const orders = [
      [brokenZip, film],
      [film, brokenZip],
      [brokenZip, picture],
      [picture, brokenZip],
      [picture, brokenZip, film],
      [film, brokenZip, film],
    ];
    for (const files of orders) assertMismatch(await sendUpload(testServer, [...fields, ...files]));
    await testServer.assertClean();
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
    const response = await sendUpload(testServer, [...fields, ...files]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(
      testServer.sandbox.requests[0]?.files?.map(({ name, size }) => [name, size]),
      names.map((name, index) => [name, contents[index]?.length]),
    );
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('of every size around the head and the hold arrive byte for byte', async () => {
    for (const size of [1, 4_099, 4_100, 4_101, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145]) {
      const response = await sendUpload(testServer, [
        ...fields,
        filePart('a.txt', Buffer.alloc(size, 'z')),
        picture,
      ]);
      assert.equal(response.status, 200, `${size}: ${response.text}`);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.size, size);
      assert.equal(testServer.sandbox.requests.at(-1)?.files?.[1]?.size, picture.content.length);
    }
    await testServer.assertClean({ completeUploads: 10 });
  });
});
