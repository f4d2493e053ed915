import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { encodeForm, fixture, mp4, type Part, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-caller.ts';
import { filePart, sendUpload, sha256, textParts } from '../helpers/send-upload.ts';

const FIVE_MIB = 5 * 1024 * 1024;
const whatsapp: Part = { name: 'channel', content: 'WHATSAPP' };

async function withHouse(env: Record<string, string>, run: (house: House, fields: Part[]) => Promise<void>) {
  await using house = await createHouse({ env });
  await run(house, textParts(house.fields));
}

describe('the limits of a forwarded upload', () => {
  it('let pass a file of exactly the limit, byte for byte', async () => {
    await withHouse({}, async (house, fields) => {
      const film = mp4(FIVE_MIB);
      for (const query of ['', '?mode=forward']) {
        for (const chunked of [false, true]) {
          const answer = await sendUpload(house, [...fields, filePart('a.mp4', film)], { query, chunked });
          assert.equal(answer.status, 200, answer.text);
          assert.equal(house.sandbox.requests.at(-1)?.files?.[0]?.sha256, sha256(film));
        }
      }
      await house.assertTidy({ completeUploads: 4 });
    });
  });

  it('refuse one byte more, and say what would carry it', async () => {
    await withHouse({}, async (house, fields) => {
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
        const answer = await sendUpload(house, form, { query, chunked });
        assert.equal(answer.status, 413, answer.text);
        assert.equal(answer.body.code, 'FILE_TOO_LARGE');
        assert.deepEqual(answer.body.details, details);
        assert.equal(answer.body.retryable, false);
      }
      await house.assertTidy();
    });
  });

  it('are as small as they are configured', async () => {
    await withHouse({ FORWARD_MAX_BYTES: '1000' }, async (house, fields) => {
      const text = (bytes: number) => filePart('a.txt', 'x'.repeat(bytes));
      assert.equal((await sendUpload(house, [...fields, text(1000)])).status, 200);
      for (const chunked of [false, true]) {
        const answer = await sendUpload(house, [...fields, text(1001)], { query: '?mode=forward', chunked });
        assert.equal(answer.status, 413, answer.text);
        assert.deepEqual(answer.body.details, { limit: 1000, channel: 'SMS', use: 'direct' });
      }
      await house.assertTidy({ completeUploads: 1 });
    });
  });

  it('are as large as they are configured', async () => {
    await withHouse({ FORWARD_MAX_BYTES: '12000000' }, async (house, fields) => {
      const film = mp4(12_000_000);
      const answer = await sendUpload(house, [...fields, filePart('a.mp4', film)]);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(house.sandbox.requests[0]?.files?.[0]?.sha256, sha256(film));
      await house.assertTidy({ completeUploads: 1 });
    });
  });

  it('hold for each file, not for their sum', async () => {
    await withHouse({ FORWARD_MAX_BYTES: '400000' }, async (house, fields) => {
      const films = [1, 2, 3, 4, 5].map((index) => filePart(`${index}.mp4`, mp4(400_000)));
      for (const query of ['', '?mode=forward']) {
        for (const chunked of [false, true]) {
          const answer = await sendUpload(house, [...fields, ...films], { query, chunked });
          assert.equal(answer.status, 200, answer.text);
          assert.equal(answer.body.mode, 'forward');
          assert.equal(Object.keys(answer.body.uploadedFiles ?? {}).length, 5);
        }
      }
      const larger = filePart('6.mp4', mp4(400_001));
      const answer = await sendUpload(house, [...fields, ...films.slice(1), larger]);
      assert.equal(answer.status, 413, answer.text);
      assert.equal(answer.body.code, 'FILE_TOO_LARGE');
      await house.assertTidy({ completeUploads: 4 });
    });
  });

  it('bound the number of files', async () => {
    await withHouse({ MAX_FILES: '2' }, async (house, fields) => {
      const png = fixture('picture.png');
      const files = ['a', 'b', 'c'].map((name) => filePart(`${name}.png`, png));
      assert.equal((await sendUpload(house, [...fields, ...files.slice(0, 2)])).status, 200);
      const answer = await sendUpload(house, [...fields, ...files]);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'TOO_MANY_FILES');
      assert.deepEqual(answer.body.details, { max: 2 });
      await house.assertTidy({ completeUploads: 1 });
    });
  });

  it('bound what is not a file', async () => {
    await withHouse({}, async (house, fields) => {
      const padding = Array.from({ length: 10 }, (_, index) => ({
        name: `x${index}`,
        content: 'x'.repeat(110_000),
      }));
      const answer = await sendUpload(house, [...padding, ...fields, filePart('a.txt', 'text')]);
      assert.equal(answer.status, 413);
      assert.equal(answer.body.code, 'BODY_TOO_LARGE');
      assert.deepEqual(answer.body.details, { limit: 1024 * 1024 });
      await house.assertTidy();
    });
  });

  it('are told before the file has come, when the length of the body tells enough', async () => {
    await withHouse({ FORWARD_MAX_BYTES: '100000' }, async (house, fields) => {
      const opening = Buffer.concat([
        encodeForm(fields).subarray(0, -'--test-boundary--\r\n'.length),
        partHead(filePart('a.mp4', '')),
        mp4(20_000),
      ]);
      using caller = await beginUpload(house, 50_000_000, [], '?mode=forward');
      await caller.send(opening);
      const answer = await caller.answer();
      assert.equal(answer.status, 413);
      assert.equal(answer.body.code, 'FILE_TOO_LARGE');
      assert.equal(house.sandbox.requests.length, 0);
      caller.leave();
      await house.assertTidy();
    });
  });

  it('bound the uploads at once, for everybody and for each caller', async () => {
    for (const [env, status, code] of [
      [{ MAX_CONCURRENT_UPLOADS: '1' }, 503, 'BUSY'],
      [{ MAX_CONCURRENT_UPLOADS_PER_CALLER: '1' }, 429, 'TOO_MANY_UPLOADS'],
    ] as const) {
      await withHouse(env, async (house, fields) => {
        const form = encodeForm([...fields, filePart('a.png', fixture('picture.png'))]);
        using first = await beginUpload(house, form.length);
        await first.send(form.subarray(0, 50));
        await untilTaken(house);
        const refused = await sendUpload(house, form);
        assert.equal(refused.status, status, refused.text);
        assert.equal(refused.body.code, code);
        assert.equal(refused.body.retryable, true);
        assert.match(String(refused.headers['retry-after']), /^\d+$/);
        await first.send(form.subarray(50));
        assert.equal((await first.answer()).status, 200);
        assert.equal((await sendUpload(house, form)).status, 200);
        await house.assertTidy({ completeUploads: 2 });
      });
    }
  });

  it('refuse what is no upload: an empty file, no file, an empty file input, another field', async () => {
    await withHouse({}, async (house, fields) => {
      const cases: [Part[], string][] = [
        [[...fields, filePart('a.png', '')], 'EMPTY_FILE'],
        [[...fields, filePart('a.png', fixture('picture.png')), filePart('b.txt', '')], 'EMPTY_FILE'],
        [[...fields, filePart('b.txt', ''), filePart('a.mp4', mp4(600_000))], 'EMPTY_FILE'],
        [fields, 'NO_FILE'],
        [[...fields, filePart('', '')], 'NO_FILE'],
        [[...fields, filePart('', '', 'application/octet-stream')], 'NO_FILE'],
        [[...fields, { name: 'fileAttachment', content: 'text' }], 'NO_FILE'],
        [[...fields, { name: 'file', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
        [[...fields, { name: 'fileAttachment[]', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
        [[...fields, { name: 'conversationId', filename: 'a.png', content: 'x' }], 'UNEXPECTED_FILE_FIELD'],
      ];
      for (const [form, code] of cases) {
        const answer = await sendUpload(house, form);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.body.code, code);
      }
      await house.assertTidy();
    });
  });

  it('overlook an empty file input beside a real file', async () => {
    await withHouse({}, async (house, fields) => {
      const form = [filePart('', ''), ...fields, filePart('a.png', fixture('picture.png'))];
      const answer = await sendUpload(house, form);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(Object.keys(answer.body.uploadedFiles ?? {}), ['a.png']);
      await house.assertTidy({ completeUploads: 1 });
    });
  });
});

async function untilTaken(house: House): Promise<void> {
  while (house.server.context.slots.taken === 0) await new Promise((resolve) => setImmediate(resolve));
}
