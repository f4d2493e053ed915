import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { appError } from '../../../server/errors/app-error.ts';
import type { LogFields } from '../../../server/http/log-fields.ts';
import { FileStream } from '../../../server/uploads/file-stream.ts';
import type { ObserveFile } from '../../../server/uploads/incoming-file.ts';
import { Upload } from '../../../server/uploads/upload.ts';
import { fixture, mp4 } from '../../helpers/multipart.ts';
import { createTestServer, type TestServer } from '../../helpers/test-server.ts';

const REQUEST = {
  client: { id: 'c', locations: null, isByCookie: false },
  mode: 'auto',
  locationId: null,
  contentLength: null,
  closingBytes: 0,
} as const;

describe('Upload', () => {
  let testServer: TestServer;
  let upload: Upload;
  beforeEach(async () => {
    testServer = await createTestServer();
    upload = new Upload(testServer.server.context.uploads, REQUEST);
    upload.fieldsChanged(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  function begin(content: Buffer, filename: string): Promise<void> {
    const stream = new FileStream(() => {});
    const received = upload.receiveFile({ filename, declaredType: null, stream, offset: 0 });
    stream.push(content);
    stream.end();
    return received;
  }

  /** An upload that is sent later arrives later, so what was sent before it would be there. */
  async function assertNothingCame(): Promise<void> {
    upload = new Upload(testServer.server.context.uploads, REQUEST);
    upload.fieldsChanged(testServer.fields);
    await begin(fixture('picture.png'), 'a.png');
    upload.onFormEnd();
    await upload.response;
    await testServer.assertClean({ completeUploads: 1 });
  }

  it('sends nothing when it fails while the leading bytes are checked, at whatever turn that is', async () => {
    const film = mp4(400_000);
    for (let turns = 0; turns < 40; turns++) {
      upload = new Upload(testServer.server.context.uploads, REQUEST);
      upload.fieldsChanged(testServer.fields);
      const received = begin(film, 'a.mp4').catch(() => {});
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      upload.fail(appError('REQUEST_TIMEOUT'));
      await received;
      await assert.rejects(upload.response, { code: 'REQUEST_TIMEOUT' });
    }
    await assertNothingCame();
  });

  it('sends nothing when it fails while held files are verified', async () => {
    for (let turns = 0; turns < 20; turns++) {
      upload = new Upload(testServer.server.context.uploads, REQUEST);
      upload.fieldsChanged(testServer.fields);
      await begin(fixture('many-parts.docx'), 'a.docx');
      upload.onFormEnd();
      for (let turn = 0; turn < turns && testServer.sandbox.requests.length === 0; turn++)
        await Promise.resolve();
      upload.fail(appError('REQUEST_TIMEOUT'));
      await assert.rejects(upload.response, { code: 'REQUEST_TIMEOUT' });
    }
    await assertNothingCame();
  });

  it('takes no call from the quota of the location when the recipient is missing', async () => {
    const { uploads } = testServer.server.context;
    const taken: string[] = [];
    uploads.leadway.takeQuota = async (locationId) => void taken.push(locationId);
    const film = mp4(400_000);
    upload = new Upload(uploads, { ...REQUEST, contentLength: film.length });
    const { conversationId: _, contactId: __, ...fields } = testServer.fields;
    upload.fieldsChanged({ ...fields, fileSize: `${film.length}` });
    await begin(film, 'a.mp4').catch(() => {});
    await assert.rejects(upload.response, { code: 'MISSING_FIELD' });
    assert.deepEqual(taken, []);
  });

  it('settles once: what comes after its response changes nothing', async () => {
    await begin(fixture('picture.png'), 'a.png');
    upload.onFormEnd();
    const response = await upload.response;
    assert.equal(response.mode, 'forward');
    upload.fail(appError('INTERNAL'));
    upload.fieldsChanged({ conversationId: 'not an id' });
    upload.onFormEnd();
    assert.equal(await upload.response, response);
    await assert.rejects(begin(fixture('picture.png'), 'b.png'));
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('keeps count of what it saw, for the log', async () => {
    const facts: LogFields = {};
    upload = new Upload(testServer.server.context.uploads, REQUEST, facts);
    upload.fieldsChanged(testServer.fields);
    await begin(fixture('picture.png'), 'a.png');
    await begin(mp4(400_000), 'b.mp4');
    upload.onFormEnd();
    await upload.response;
    const { upstreamMs, ...others } = facts;
    assert.deepEqual(others, {
      locationId: testServer.sandbox.locationId,
      files: 2,
      bytes: 400_000 + fixture('picture.png').length,
      contentType: 'image/png',
      upstreamStatus: 200,
      mode: 'forward',
    });
    assert(Number.isInteger(upstreamMs));
  });

  describe('whose files are observed', () => {
    let calls: string[];
    let chunks: Buffer[];
    let onEnd: () => Promise<void>;
    beforeEach(() => {
      calls = [];
      chunks = [];
      onEnd = async () => {};
      const observe: ObserveFile = ({ name, contentType }) => {
        calls.push(`begin ${name} ${contentType}`);
        return {
          async write(chunk) {
            chunks.push(Buffer.from(chunk));
            await nextTurn(); // what is sent meanwhile would be freed
            assert(chunk.length > 0);
          },
          end: () => {
            calls.push('end');
            return onEnd();
          },
          destroy: () => void calls.push('destroy'),
        };
      };
      const context = { ...testServer.server.context.uploads, fileObservers: [observe] };
      upload = new Upload(context, REQUEST);
      upload.fieldsChanged(testServer.fields);
    });

    for (const bytes of [4_000, 400_000]) {
      it(`shows every byte of ${bytes} to the observer, and commits after its consent`, async () => {
        const consent = Promise.withResolvers<void>();
        onEnd = () => consent.promise;
        const film = mp4(bytes);
        const received = begin(film, 'a.mp4').then(() => upload.onFormEnd());
        while (!calls.includes('end')) await nextTurn();
        assert(Buffer.concat(chunks).equals(mp4(bytes)));
        assert(testServer.sandbox.requests.every(({ complete }) => !complete));
        consent.resolve();
        await received;
        assert.equal((await upload.response).mode, 'forward');
        assert.deepEqual(calls, ['begin a.mp4 video/mp4', 'end', 'destroy']);
        await testServer.assertClean({ completeUploads: 1 });
      });

      it(`sends no complete request when the observer rejects a file of ${bytes}`, async () => {
        onEnd = () => Promise.reject(appError('UPLOAD_REJECTED'));
        await begin(mp4(bytes), 'a.mp4').catch(() => {});
        upload.onFormEnd();
        await assert.rejects(upload.response, { code: 'UPLOAD_REJECTED' });
        await assertNothingCame();
      });
    }

    it('ends the observer when the upload fails', async () => {
      const received = begin(mp4(400_000), 'a.mp4');
      while (chunks.length === 0) await nextTurn();
      upload.fail(appError('REQUEST_TIMEOUT'));
      await assert.rejects(received);
      assert.deepEqual(calls, ['begin a.mp4 video/mp4', 'destroy']);
    });
  });
});
