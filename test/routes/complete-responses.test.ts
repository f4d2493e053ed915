import assert from 'node:assert/strict';
import { assertRejected, complete, initiated, type Reply } from '../helpers/direct-steps.ts';
import { createFakeLeadway, type FakeResponse } from '../helpers/fake-leadway.ts';
import { createTestServer } from '../helpers/test-server.ts';

const UPLOADED = { uploadedFiles: { 'note.txt': 'https://files.test/note.txt' } };

/** The response to a complete call, by that of Leadway. */
async function completed(response: FakeResponse, declared: { fileSize?: number } = {}): Promise<Reply> {
  await using leadway = await createFakeLeadway((path) =>
    path.endsWith('/complete')
      ? response
      : {
          status: 200,
          json: {
            uploadUrl: 'https://storage.googleapis.com/bucket/note.txt',
            uploadId: 'upload',
            filePath: 'bucket/note.txt',
            expiresAt: Date.now() + 60_000,
            maxFileSize: 5_000_000,
          },
        },
  );
  await using testServer = await createTestServer({
    env: { LEADWAY_BASE_URL: leadway.url, STORAGE_ORIGINS: 'https://storage.googleapis.com' },
  });
  return await complete(testServer, { ticket: (await initiated(testServer, declared)).ticket });
}

describe('what Leadway tells of a completed file', () => {
  it('is passed on as far as it makes sense, and the URL without it', async () => {
    for (const [metadata, expected] of [
      [
        { size: 5, contentType: 'text/plain' },
        { size: 5, contentType: 'text/plain' },
      ],
      [
        { size: '5', contentType: 'text/plain' },
        { size: 5, contentType: 'text/plain' },
      ],
      [{ size: null, contentType: 'text/plain' }, { contentType: 'text/plain' }],
      [{ size: 'some', contentType: 7 }, {}],
      [{}, {}],
      [null, {}],
      ['text', {}],
      [undefined, {}],
    ] as const) {
      for (const declared of [{}, { fileSize: 5 }]) {
        const { status, body, text } = await completed(
          { status: 200, json: { ...UPLOADED, metadata } },
          declared,
        );
        assert.equal(status, 200, text);
        const { delivery: _, ...stored } = body as typeof body & { delivery?: unknown };
        assert.deepEqual(stored, { ...UPLOADED, metadata: expected });
      }
    }
  });

  it('is held to the size that was declared, and to none where none was', async () => {
    const response = { status: 200, json: { ...UPLOADED, metadata: { size: 6, contentType: 'text/plain' } } };
    assertRejected(await completed(response, { fileSize: 5 }), 400, 'SIZE_MISMATCH');
    assert.equal((await completed(response)).status, 200);
  });

  it('may be that it is not there, in either status', async () => {
    for (const status of [400, 404]) {
      const json = { statusCode: status, message: 'File not found in storage' };
      assertRejected(await completed({ status, json }), 404, 'NOT_UPLOADED');
    }
    const json = { statusCode: 400, message: 'filename must be a string' };
    assertRejected(await completed({ status: 400, json }), 400, 'UPSTREAM_REJECTED');
  });
});
