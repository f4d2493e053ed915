import assert from 'node:assert/strict';
import { createHouse } from '../helpers/house.ts';
import { fixture } from '../helpers/multipart.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

describe('an upload that has arrived whole', () => {
  for (const [what, env] of [
    ['held', {}],
    ['streamed', { FORWARD_HOLD_BYTES: '0' }],
  ] as const) {
    it(`is not blamed for a Leadway that takes its time: ${what}`, async () => {
      await using house = await createHouse({
        env: { UPLOAD_IDLE_TIMEOUT_MS: '150', UPSTREAM_TIMEOUT_MS: '10000', ...env },
        sandbox: { slowMs: 800 },
      });
      const fields = { ...house.fields, conversationId: 'fault-upload-slow-headers' };
      const form = [...textParts(fields), filePart('a.png', fixture('picture.png'))];
      const answer = await sendUpload(house, form);
      assert.equal(answer.status, 200, answer.text);
      await house.assertTidy({ completeUploads: 1 });
    });
  }
});
