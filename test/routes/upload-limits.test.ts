import assert from 'node:assert/strict';
import { encodeForm, fixture, mp4, type Part, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const FIVE_MIB = 5 * 1024 * 1024;
const whatsapp: Part = { name: 'channel', content: 'WHATSAPP' };

async function withTestServer(
  env: Record<string, string>,
  run: (testServer: TestServer, fields: Part[]) => Promise<void>,
) {
  await using testServer = await createTestServer({ env });
  await run(testServer, textParts(testServer.fields));
}

describe('the limits of a forwarded upload', () => {
  it('let pass a file of exactly the limit, byte for byte', async () => {
    await withTestServer({}, async (testServer, fields) => {
      const film = mp4(FIVE_MIB);
      for (const query of ['', '?mode=forward']) {
        for (const chunked of [false, true]) {
          const response = await sendUpload(testServer, [...fields, filePart('a.mp4', film)], {
            query,
            chunked,
          });
          assert.equal(response.status, 200, response.text);
          assert.equal(testServer.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(film));
        }
      }
      await testServer.assertClean({ completeUploads: 4 });
    });
  });

  it('reject one byte more, and say what would carry it', async () => {
    await withTestServer({}, async (testServer, fields) => {
      const film = filePart('a.mp4', mp4(FIVE_MIB + 1));
      const sms = { limit: FIVE_MIB, channel: 'SMS' };
      const cases: [string, boolean, Part[], Record<string, unknown>][] = [
        ['?mode=forward', false, [...fields, film], sms],
        ['?mode=forward', true, [...fields, film], sms],
        ['', false, [...fields, film], sms],
        ['', true, [...fields, film], sms],
        ['?mode=forward', false, [...fields, whatsapp, film], { ...sms, channel: 'WHATSAPP', use: 'direct' }],
        // The size is not known beforehand, so the limit is met on the way.
        ['', true, [...fields, whatsapp, film], { ...sms, channel: 'WHATSAPP', use: 'direct' }],
      ];
      for (const [query, chunked, form, details] of cases) {
        const response = await sendUpload(testServer, form, { query, chunked });
        assert.equal(response.status, 413, response.text);
        assert.equal(response.body.code, 'FILE_TOO_LARGE');
        assert.deepEqual(response.body.details, details);
        assert.equal(response.body.retryable, false);
      }
      await testServer.assertClean();
    });
  });

  it('are as small as they are configured', async () => {
    await withTestServer({ FORWARD_MAX_BYTES: '1000' }, async (testServer, fields) => {
      const text = (bytes: number) => filePart('a.txt', 'x'.repeat(bytes));
      assert.equal((await sendUpload(testServer, [...fields, text(1000)])).status, 200);
      for (const chunked of [false, true]) {
        const response = await sendUpload(testServer, [...fields, text(1001)], {
          query: '?mode=forward',
          chunked,
        });
        assert.equal(response.status, 413, response.text);
        assert.deepEqual(response.body.details, { limit: 1000, channel: 'SMS', use: 'direct' });
      }
      await testServer.assertClean({ completeUploads: 1 });
    });
  });

  it('are as large as they are configured', async () => {
    await withTestServer({ FORWARD_MAX_BYTES: '12000000' }, async (testServer, fields) => {
      const film = mp4(12_000_000);
      const response = await sendUpload(testServer, [...fields, filePart('a.mp4', film)]);
      assert.equal(response.status, 200, response.text);
      assert.equal(testServer.sandbox.requests[0]?.files?.[0]?.sha256, sha256(film));
      await testServer.assertClean({ completeUploads: 1 });
    });
  });

  it('hold for each file, not for their sum', async () => {
    await withTestServer({ FORWARD_MAX_BYTES: '400000' }, async (testServer, fields) => {
      const films = [1, 2, 3, 4, 5].map((index) => filePart(`${index}.mp4`, mp4(400_000)));
      for (const query of ['', '?mode=forward']) {
        for (const chunked of [false, true]) {
          const response = await sendUpload(testServer, [...fields, ...films], { query, chunked });
          assert.equal(response.status, 200, response.text);
          assert.equal(response.body.mode, 'forward');
          assert.equal(Object.keys(response.body.uploadedFiles ?? {}).length, 5);
        }
      }
      const larger = filePart('6.mp4', mp4(400_001));
      const response = await sendUpload(testServer, [...fields, ...films.slice(1), larger]);
      assert.equal(response.status, 413, response.text);
      assert.equal(response.body.code, 'FILE_TOO_LARGE');
      await testServer.assertClean({ completeUploads: 4 });
    });
  });

  it('bound the number of files', async () => {
    await withTestServer({ MAX_FILES: '2' }, async (testServer, fields) => {
      const png = fixture('picture.png');
      const files = ['a', 'b', 'c'].map((name) => filePart(`${name}.png`, png));
      assert.equal((await sendUpload(testServer, [...fields, ...files.slice(0, 2)])).status, 200);
      const response = await sendUpload(testServer, [...fields, ...files]);
      assert.equal(response.status, 400);
      assert.equal(response.body.code, 'TOO_MANY_FILES');
      assert.deepEqual(response.body.details, { max: 2 });
      await testServer.assertClean({ completeUploads: 1 });
    });
  });

  it('bound what is not a file', async () => {
    await withTestServer({}, async (testServer, fields) => {
      const padding = Array.from({ length: 10 }, (_, index) => ({
        name: `x${index}`,
        content: 'x'.repeat(110_000),
      }));
      const response = await sendUpload(testServer, [...padding, ...fields, filePart('a.txt', 'text')]);
      assert.equal(response.status, 413);
      assert.equal(response.body.code, 'BODY_TOO_LARGE');
      assert.deepEqual(response.body.details, { limit: 1024 * 1024 });
      await testServer.assertClean();
    });
  });

  it('are told before the file has come, when the length of the body tells enough', async () => {
    await withTestServer({ FORWARD_MAX_BYTES: '100000' }, async (testServer, fields) => {
      const opening = Buffer.concat([
        encodeForm(fields).subarray(0, -'--test-boundary--\r\n'.length),
        partHead(filePart('a.mp4', '')),
        mp4(20_000),
      ]);
      using client = await beginUpload(testServer, 50_000_000, [], '?mode=forward');
      await client.send(opening);
      const response = await client.response();
      assert.equal(response.status, 413);
      assert.equal(response.body.code, 'FILE_TOO_LARGE');
      assert.equal(testServer.sandbox.requests.length, 0);
      client.leave();
      await testServer.assertClean();
    });
  });

  it('bound the uploads at once, for all clients and for each one', async () => {
    for (const [env, status, code] of [
      [{ MAX_CONCURRENT_UPLOADS: '1' }, 503, 'BUSY'],
      [{ MAX_CONCURRENT_UPLOADS_PER_CALLER: '1' }, 429, 'TOO_MANY_UPLOADS'],
    ] as const) {
      await withTestServer(env, async (testServer, fields) => {
        const form = encodeForm([...fields, filePart('a.png', fixture('picture.png'))]);
        using first = await beginUpload(testServer, form.length);
        await first.send(form.subarray(0, 50));
        await untilTaken(testServer);
        const rejected = await sendUpload(testServer, form);
        assert.equal(rejected.status, status, rejected.text);
        assert.equal(rejected.body.code, code);
        assert.equal(rejected.body.retryable, true);
        assert.match(String(rejected.headers['retry-after']), /^\d+$/);
        await first.send(form.subarray(50));
        assert.equal((await first.response()).status, 200);
        assert.equal((await sendUpload(testServer, form)).status, 200);
        await testServer.assertClean({ completeUploads: 2 });
      });
    }
  });

  it('reject what is not an upload: an empty file, no file, an empty file input, another field', async () => {
    await withTestServer({}, async (testServer, fields) => {
      const cases: [Part[], string][] = [
        [[...fields, filePart('a.png', '')], 'EMPTY_FILE'],
        [[...fields, filePart('a.png', fixture('picture.png')), filePart('b.txt', '')], 'EMPTY_FILE'],
        [[...fields, filePart('b.txt', ''), filePart('a.mp4', mp4(600_000))], 'EMPTY_FILE'],
        [fields, 'NO_FILE'],
        [[...fields, filePart('', '')], 'NO_FILE'],
        [[...fields, filePart('', '', 'application/octet-stream')], 'NO_FILE'],
        [[...fields, { name: 'fileAttachment', content: 'text' }], 'BAD_FILENAME'],
        [[...fields, { name: 'file', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
        [[...fields, { name: 'fileAttachment[]', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
        [[...fields, { name: 'conversationId', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
      ];
      for (const [form, code] of cases) {
        const response = await sendUpload(testServer, form);
        assert.equal(response.status, 400, response.text);
        assert.equal(response.body.code, code);
      }
      await testServer.assertClean();
    });
  });

  it('overlook an empty file input beside a real file', async () => {
    await withTestServer({}, async (testServer, fields) => {
      const form = [filePart('', ''), ...fields, filePart('a.png', fixture('picture.png'))];
      const response = await sendUpload(testServer, form);
      assert.equal(response.status, 200, response.text);
      assert.deepEqual(Object.keys(response.body.uploadedFiles ?? {}), ['a.png']);
      await testServer.assertClean({ completeUploads: 1 });
    });
  });
});

async function untilTaken(testServer: TestServer): Promise<void> {
  while (testServer.server.context.slots.taken === 0) await new Promise((resolve) => setImmediate(resolve));
}
