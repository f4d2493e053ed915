import assert from 'node:assert/strict';
import {
  assertRefused,
  complete,
  fields,
  file,
  INITIATE_KEYS,
  jsonOf,
  type Reply,
  seen,
  sendForm,
  sha256,
} from '../helpers/direct-steps.ts';
import { createHouse, type House } from '../helpers/house.ts';
import { closing, encodeForm, mp4, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-caller.ts';

const LARGE = mp4(3_000_000);

describe('POST /messages/upload with a file for the direct way', () => {
  let house: House;
  let conversationId: string;
  beforeEach(async () => {
    // Small limits make small films large; five of these and a mebibyte are less than LARGE.
    house = await createHouse({ env: { FORWARD_MAX_BYTES: '100000' } });
    conversationId = house.sandbox.conversationId;
  });
  afterEach(() => house[Symbol.asyncDispose]());

  function assertHandedOut(reply: Pick<Reply, 'status' | 'text' | 'body'>): void {
    assert.equal(reply.status, 202, reply.text);
    assert.deepEqual(Object.keys(reply.body).sort(), [...INITIATE_KEYS, 'mode'].sort());
    assert.equal(reply.body.mode, 'direct');
    assert.equal(reply.body.filename, 'film.mp4');
    assert.equal(reply.body.contentType, 'video/mp4');
    assert.deepEqual(reply.body.headers, { 'Content-Type': 'video/mp4' });
    assert.equal(new URL(reply.body.uploadUrl).origin, house.sandbox.storageOrigin);
    assert.equal(seen(house, 'initiate').length, 1);
  }

  it('hands out a signed URL by the declared size, with the fields before the file', async () => {
    const declared = { conversationId, channel: 'WHATSAPP', fileSize: LARGE.length };
    const reply = await sendForm(house, [...fields(declared), file('film.mp4', LARGE, 'video/mp4')]);
    assertHandedOut(reply);
    assert.equal(reply.body.maxFileSize, 100 * 1024 * 1024);
    assert.equal(jsonOf(house, 'initiate')['fileSize'], LARGE.length);
    await house.assertTidy();
  });

  it('asks for the conversation although the contact is known, which is enough to forward', async () => {
    const { contactId } = house.sandbox;
    for (const size of [{ fileSize: LARGE.length }, {}]) {
      const form = [...fields({ contactId, channel: 'WHATSAPP', ...size }), file('film.mp4', LARGE)];
      const details = assertRefused(await sendForm(house, form), 400, 'MISSING_FIELD');
      assert.equal(details['field'], 'conversationId');
    }
    assert.equal(seen(house, 'initiate').length, 0);
    await house.assertTidy();
  });

  it('hands out a signed URL by the length of the body', async () => {
    const reply = await sendForm(house, [
      ...fields({ conversationId, channel: 'WHATSAPP' }),
      file('film.mp4', LARGE, 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await house.assertTidy();
  });

  for (const [how, late] of Object.entries({
    'all fields': ['conversationId', 'channel'],
    'the conversation': ['conversationId'],
  })) {
    it(`waits for ${how} behind the file`, async () => {
      const all = { conversationId, channel: 'WHATSAPP' };
      const isLate = ([name]: [string, string]): boolean => late.includes(name);
      const reply = await sendForm(house, [
        ...fields(Object.fromEntries(Object.entries(all).filter((entry) => !isLate(entry)))),
        file('film.mp4', LARGE, 'video/mp4'),
        ...fields(Object.fromEntries(Object.entries(all).filter(isLate))),
      ]);
      assertHandedOut(reply);
      assert.equal(jsonOf(house, 'initiate')['channel'], 'WHATSAPP');
      await house.assertTidy();
    });
  }

  it('waits for a channel behind a file that only this channel takes', async () => {
    const film = mp4(6_000_000);
    const reply = await sendForm(house, [
      ...fields({ conversationId, fileSize: film.length }),
      file('film.mp4', film, 'video/mp4'),
      ...fields({ channel: 'whatsapp' }),
    ]);
    assertHandedOut(reply);
    await house.assertTidy();
  });

  it('turns to direct when a file of uncertain size passes the limit of forwarding', async () => {
    const film = mp4(400_000);
    const reply = await sendForm(house, [
      ...fields({ ...house.fields, channel: 'WHATSAPP' }),
      file('film.mp4', film, 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await house.assertTidy();
  });

  it('takes the head and the declared size for the whole', async () => {
    const reply = await sendForm(house, [
      ...fields({ conversationId, channel: 'WHATSAPP', fileSize: 60_000_000 }),
      file('film.mp4', mp4(4_100), 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await house.assertTidy();
  });

  it('answers at once when 60 MB are announced and the head is there', async () => {
    const declared = fields({ conversationId, channel: 'WHATSAPP' });
    const head = Buffer.concat([
      encodeForm(declared).subarray(0, -closing().length),
      partHead(file('film.mp4', '', 'video/mp4')),
      mp4(8_000),
    ]);
    using caller = await beginUpload(house, 60_000_000);
    await caller.send(head);
    const { status, text, body } = await caller.answer();
    assertHandedOut({ status, text, body: body as unknown as Reply['body'] });
    caller.leave();
    await house.assertTidy();
  });

  it('lets the caller send all of what it had begun to send', async () => {
    const film = mp4(20_000_000);
    using caller = await beginUpload(house, film.length + 10_000);
    const declared = fields({ conversationId, channel: 'WHATSAPP' });
    await caller.send(encodeForm(declared).subarray(0, -closing().length));
    await caller.send(partHead(file('film.mp4', '', 'video/mp4')));
    await caller.send(film);
    await caller.answer();
    await caller.send(Buffer.alloc(1_000_000));
    assert.equal(caller.socket.destroyed, false);
    caller.leave();
    await house.assertTidy();
  });

  for (const client of ['node:http', 'fetch'] as const) {
    it(`works to its end with ${client}: put, complete, and the stored bytes are the file`, async () => {
      const { body } = await sendForm(house, [
        ...fields({ conversationId, fileSize: LARGE.length }),
        file('film.mp4', LARGE.subarray(0, 5_000), 'video/mp4'),
      ]);
      const { uploadUrl, headers, ticket, completeUrl } = body;
      assert.equal(completeUrl, '/api/messages/upload/complete');
      const put = await fetch(uploadUrl, { method: 'PUT', headers, body: LARGE });
      assert.equal(put.status, 200, await put.text());
      assert.equal(seen(house, 'put')[0]?.files?.[0]?.sha256, sha256(LARGE));

      const json = { 'Content-Type': 'application/json' };
      const answer =
        client === 'fetch'
          ? await fetch(`${house.url}${completeUrl}`, {
              method: 'POST',
              headers: json,
              body: JSON.stringify({ ticket }),
            }).then(async (res) => ({ status: res.status, body: (await res.json()) as Reply['body'] }))
          : await complete(house, { ticket });
      assert.equal(answer.status, 200);
      assert.deepEqual(Object.keys(answer.body).sort(), ['metadata', 'uploadedFiles']);
      assert.deepEqual(answer.body.metadata, { size: LARGE.length, contentType: 'video/mp4' });
      const shown = await fetch(answer.body.uploadedFiles?.['film.mp4'] ?? '');
      assert.equal(sha256(Buffer.from(await shown.arrayBuffer())), sha256(LARGE));
      await house.assertTidy();
    });
  }

  describe('asked for by mode=direct', () => {
    const path = '?mode=direct';

    it('hands out a signed URL for a small file, without a contact', async () => {
      const reply = await sendForm(
        house,
        [...fields({ conversationId }), file('film.mp4', mp4(5_000), 'video/mp4')],
        { path },
      );
      assertHandedOut(reply);
      assert.equal(reply.body.maxFileSize, 5 * 1024 * 1024);
      await house.assertTidy();
    });

    it('takes one file only', async () => {
      const reply = await sendForm(
        house,
        [...fields({ conversationId }), file('a.txt', 'one'), file('b.txt', 'two')],
        { path },
      );
      assert.deepEqual(assertRefused(reply, 400, 'TOO_MANY_FILES'), { max: 1 });
      assert.equal(seen(house, 'initiate').length, 0);
      await house.assertTidy();
    });

    it('refuses a group SMS, whose answer only forwarding gives', async () => {
      for (const mode of ['direct', 'relay']) {
        const reply = await sendForm(
          house,
          [...fields({ ...house.fields, isGroupSms: 'true' }), file('a.txt', 'one')],
          { path: `?mode=${mode}` },
        );
        assert.equal(assertRefused(reply, 400, 'INVALID_FIELD')['field'], 'isGroupSms');
      }
      await house.assertTidy();
    });

    it('asks for the conversation', async () => {
      const reply = await sendForm(house, [file('a.txt', 'one')], { path });
      assert.equal(assertRefused(reply, 400, 'MISSING_FIELD')['field'], 'conversationId');
      await house.assertTidy();
    });

    it('refuses a file that is longer than declared', async () => {
      const reply = await sendForm(
        house,
        [...fields({ conversationId, fileSize: 3 }), file('a.txt', 'four')],
        { path },
      );
      assert.deepEqual(assertRefused(reply, 400, 'SIZE_MISMATCH'), { declared: 3, received: 4 });
      await house.assertTidy();
    });
  });
});
