import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { encodeForm, fixture, type Part } from '../helpers/multipart.ts';
import { beginUpload, type RawCaller } from '../helpers/raw-caller.ts';
import { filePart, textParts } from '../helpers/send-upload.ts';

const EXPECT = 'Expect: 100-continue';

describe('an upload whose caller asks before it sends', () => {
  const form = (house: House, extra: readonly Part[] = []): Buffer =>
    encodeForm([...textParts(house.fields), ...extra, filePart('a.png', fixture('picture.png'))]);
  const isTold = (caller: RawCaller) => caller.received.startsWith('HTTP/1.1 100 Continue');

  it('is let go on, and uploaded', async () => {
    await using house = await createHouse();
    const body = form(house);
    using caller = await beginUpload(house, body.length, [EXPECT]);
    assert(await caller.until((received) => received.includes('\r\n\r\n')));
    assert.equal(caller.received, 'HTTP/1.1 100 Continue\r\n\r\n');
    await caller.send(body);
    const answer = await caller.answer();
    assert.equal(answer.status, 200, answer.text);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('may be refused after that for what is in the body', async () => {
    await using house = await createHouse();
    const body = form(house, [{ name: 'fileSize', content: '1' }]);
    using caller = await beginUpload(house, body.length, [EXPECT]);
    await caller.send(body);
    assert.equal((await caller.answer()).body.code, 'SIZE_MISMATCH');
    await house.assertTidy();
  });

  it('is refused without a 100 when nothing in the body could change it', async () => {
    const cases: [string, string[], string][] = [
      ['?mode=sideways', [], 'INVALID_FIELD'],
      ['?locationId=a%20b', [], 'INVALID_FIELD'],
      ['', ['Content-Encoding: gzip'], 'UNSUPPORTED_ENCODING'],
      ['', ['Origin: https://evil.example'], 'ORIGIN_NOT_ALLOWED'],
    ];
    await using house = await createHouse();
    for (const [query, headers, code] of cases) {
      using caller = await beginUpload(house, 1_000, [EXPECT, ...headers], query);
      const answer = await caller.answer();
      assert.equal(answer.body.code, code);
      assert(!isTold(caller), `a 100 before ${code}`);
    }
    await house.assertTidy();
  });

  it('is refused without a 100 when all places are taken, or its content type is wrong', async () => {
    await using house = await createHouse({ env: { MAX_CONCURRENT_UPLOADS: '1' } });
    using first = await beginUpload(house, 1_000, [EXPECT]);
    assert(await first.until(() => isTold(first)));
    using second = await beginUpload(house, 1_000, [EXPECT]);
    assert.equal((await second.answer()).body.code, 'BUSY');
    assert(!isTold(second));
    first.leave();
    await house.assertTidy();
  });

  it('is refused with 417 for another expectation', async () => {
    await using house = await createHouse();
    using caller = await beginUpload(house, 1_000, ['Expect: miracles']);
    assert.equal((await caller.answer()).body.code, 'EXPECTATION_FAILED');
    assert(!isTold(caller));
    await house.assertTidy();
  });
});
