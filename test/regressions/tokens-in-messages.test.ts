import assert from 'node:assert/strict';
import { call } from '../helpers/call.ts';
import { createFakeLeadway } from '../helpers/fake-leadway.ts';
import { type ApiResponse, filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

/** Words like any other: only who knows the tokens can tell that these are some. */
const TOKENS = ['opaque-new', 'opaque.old'];

const WAYS: readonly (readonly [string, (testServer: TestServer) => Promise<ApiResponse>])[] = [
  [
    'an upload',
    (testServer) => sendUpload(testServer, [...textParts(testServer.fields), filePart('a.txt', 'text')]),
  ],
  [
    'an initiate call',
    ({ fields: { conversationId }, ...testServer }) =>
      call(testServer as TestServer, {
        method: 'POST',
        path: '/messages/upload/initiate',
        json: { conversationId, filename: 'a.txt', contentType: 'text/plain' },
      }),
  ],
  ['a passed call', (testServer) => call(testServer, { path: '/conversations/1' })],
];

describe('a message of Leadway’s that repeats the token', () => {
  for (const [what, send] of WAYS) {
    it(`reaches the client of ${what} without it, the one before the rotation included`, async () => {
      await using leadway = await createFakeLeadway(() => ({
        status: 400,
        json: { statusCode: 400, message: `neither ${TOKENS.join(' nor ')} will do`, traceId: TOKENS[0] },
      }));
      await using testServer = await createTestServer({
        env: {
          LEADWAY_BASE_URL: leadway.url,
          LEADWAY_TOKEN: TOKENS.join(),
          PASSTHROUGH: 'GET /conversations/:id',
        },
      });
      const { status, body, text } = await send(testServer);
      assert.equal(`${status} ${body.code}`, '400 UPSTREAM_REJECTED', text);
      assert.match(text, /neither \[removed\] nor \[removed\] will do/);
      assert(!/opaque/.test(text + testServer.log.lines.join()));
    });
  }
});
