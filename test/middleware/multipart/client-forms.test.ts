import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseBoundary } from '../../../middleware/multipart/boundary.ts';
import { sendUpload, sha256 } from '../../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';
import { parseForm } from './parse-form.ts';
import { type ClientForm, FIELDS, NAME, PICTURE, WRITTEN_FORMS } from './written-forms.ts';

const FOLDER = new URL('../../fixtures/forms/', import.meta.url);

/** Clients that lose the name before it is sent. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  // Encodes more than encodeURIComponent does, and nothing says that it does.
  aiohttp: encodeURIComponent(NAME).replace('(', '%28').replace(')', '%29'),
  // ASCII only.
  'apache-strict': NAME.replace(/[^ -~]/g, '?'),
};

/** A recording of `scripts/record-forms.ts`: some headers, an empty line, the body. */
function readRecording(file: string): ClientForm {
  const recording = readFileSync(new URL(file, FOLDER));
  const end = recording.indexOf('\r\n\r\n');
  const headers = recording.toString('latin1', 0, end).split('\r\n');
  const header = (name: string): string | undefined =>
    headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  return {
    client: file.slice(0, -'.form'.length),
    contentType: header('content-type') ?? '',
    isFromBrowser: header('sec-fetch-site') !== undefined,
    body: recording.subarray(end + 4),
  };
}

const RECORDED_FORMS = readdirSync(FOLDER).map(readRecording);

describe('the form of', () => {
  let testServer: TestServer;
  before(async () => {
    testServer = await createTestServer();
  });
  after(() => testServer[Symbol.asyncDispose]());

  for (const { client, contentType, isFromBrowser, body } of [...RECORDED_FORMS, ...WRITTEN_FORMS]) {
    it(`${client} is accepted, with the name that its user gave the file`, async () => {
      const before = testServer.sandbox.requests.length;
      const response = await sendUpload(testServer, body, {
        headers: { 'Content-Type': contentType, ...(isFromBrowser && { 'Sec-Fetch-Site': 'same-origin' }) },
      });
      assert.equal(response.status, 200, response.text);
      const name = OTHER_NAMES[client] ?? NAME;
      assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), [name]);
      const [sent, ...more] = testServer.sandbox.requests.slice(before);
      assert.deepEqual(more, []);
      assert.equal(sent?.files?.[0]?.name, name);
      assert.equal(sent?.files?.[0]?.sha256, sha256(PICTURE));
      for (const [field, value] of Object.entries(FIELDS)) assert.deepEqual(sent?.fields?.[field], [value]);
    });

    it(`${client} reads the same wherever it is cut in two`, () => {
      const boundary = parseBoundary(contentType);
      const whole = parseForm(boundary, [body]);
      assert.equal(whole.error, null);
      for (let cut = 1; cut < body.length; cut++) {
        assert.deepEqual(
          parseForm(boundary, [body.subarray(0, cut), body.subarray(cut)]),
          whole,
          `at ${cut}`,
        );
      }
    });
  }

  it('every client that the recording script knows is there', () => {
    const script = readFileSync(new URL('../../../scripts/record-forms.ts', import.meta.url), 'utf8');
    const table = /const CLIENTS.*?= \{\n(.*?)\n\};/s.exec(script)?.[1] ?? '';
    const known = [...table.matchAll(/^ {2}(?:async )?(?:'([\w-]+)'|(\w+))[:(]/gm)].map(
      (match) => match[1] ?? match[2],
    );
    assert.deepEqual(known.sort(), RECORDED_FORMS.map(({ client }) => client).sort());
  });
});
