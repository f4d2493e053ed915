import assert from 'node:assert/strict';
import { assertRejected, fields, file, jsonOf, seen, sendForm } from '../helpers/direct-steps.ts';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const LEADING_BYTES = 4_100;

/** Files whose end has what their type is told by, and their canonical types. */
const HEADS: Readonly<Record<string, string>> = {
  'word.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'larger-than-tail.zip': 'application/zip',
  'writer.pdf': 'application/pdf',
  'word-plain.doc': 'application/msword',
};

/** Name and content that disagree within the head. */
const IMPOSTORS: Readonly<Record<string, string>> = {
  'picture.png': 'film.mp4',
  'movie.mov': 'film.mp4',
  'program.exe': 'report.pdf',
  'drawing.svg': 'notes.txt',
  'sheet.ods': 'report.docx',
  'picture.heic': 'film.mp4',
};

describe('POST /messages/upload with the head of a file alone', () => {
  let testServer: TestServer;
  let conversationId: string;
  before(async () => {
    testServer = await createTestServer();
    conversationId = testServer.sandbox.conversationId;
  });
  beforeEach(() => testServer.sandbox.reset());
  after(() => testServer[Symbol.asyncDispose]());

  for (const [name, contentType] of Object.entries(HEADS)) {
    for (const isDeclared of [true, false]) {
      it(`does not judge the structure of ${name} ${isDeclared ? 'by' : 'without'} its size`, async () => {
        const content = fixture(name);
        assert(content.length > LEADING_BYTES, 'the fixture is larger than a head');
        const declared = isDeclared ? { fileSize: content.length } : {};
        const reply = await sendForm(
          testServer,
          [...fields({ conversationId, ...declared }), file(name, content.subarray(0, LEADING_BYTES))],
          { path: '?mode=direct' },
        );
        assert.equal(reply.status, 202, reply.text);
        assert.equal(reply.body.contentType, contentType);
        assert.equal(jsonOf(testServer, 'initiate')['contentType'], contentType);
        await testServer.assertClean();
      });
    }
  }

  it('takes the head of a video that auto sends direct', async () => {
    const reply = await sendForm(testServer, [
      ...fields({ conversationId, channel: 'WHATSAPP', fileSize: 60_000_000 }),
      file('film.mp4', mp4(LEADING_BYTES)),
    ]);
    assert.equal(reply.status, 202, reply.text);
    await testServer.assertClean();
  });

  for (const [content, name] of Object.entries(IMPOSTORS)) {
    it(`rejects ${content} under the name ${name}`, async () => {
      const head = fixture(content).subarray(0, LEADING_BYTES);
      const reply = await sendForm(
        testServer,
        [...fields({ conversationId, fileSize: 3_000_000 }), file(name, head)],
        { path: '?mode=direct' },
      );
      assertRejected(reply, 415, 'TYPE_MISMATCH');
      assert.equal(seen(testServer, 'initiate').length, 0);
      await testServer.assertClean();
    });
  }

  it('judges the structure where the declared size says that the file is whole', async () => {
    const broken = fixture('truncated.zip');
    const reply = await sendForm(
      testServer,
      [...fields({ conversationId, fileSize: broken.length }), file('a.zip', broken)],
      { path: '?mode=direct' },
    );
    assertRejected(reply, 415, 'TYPE_MISMATCH');
    await testServer.assertClean();
  });

  it('does not forward a head: the size is another than declared', async () => {
    const reply = await sendForm(testServer, [
      ...fields({ ...testServer.fields, fileSize: 300_000 }),
      file('film.mp4', mp4(LEADING_BYTES)),
    ]);
    assertRejected(reply, 400, 'SIZE_MISMATCH');
    await testServer.assertClean();
  });
});
