import assert from 'node:assert/strict';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer } from '../helpers/test-server.ts';

describe('an upload that has arrived whole', () => {
  for (const [what, env] of [
    ['held', {}],
    ['streamed', { FORWARD_HOLD_BYTES: '0' }],
  ] as const) {
    it(`is not blamed for a Leadway that takes its time: ${what}`, async () => {
      await using testServer = await createTestServer({
        env: { UPLOAD_IDLE_TIMEOUT_MS: '150', UPSTREAM_TIMEOUT_MS: '10000', ...env },
        sandbox: { slowMs: 800 },
      });
      const fields = { ...testServer.fields, conversationId: 'fault-upload-slow-headers' };
      const form = [...textParts(fields), filePart('a.png', fixture('picture.png'))];
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 200, response.text);
      await testServer.assertClean({ completeUploads: 1 });
    });
  }
});
