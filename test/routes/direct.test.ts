import assert from 'node:assert/strict';
import {
  assertRejected,
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
import { closing, encodeForm, mp4, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const LARGE = mp4(3_000_000);

describe('POST /messages/upload with a file for the direct way', () => {
  let testServer: TestServer;
  let conversationId: string;
  beforeEach(async () => {
    // Small limits make small videos large; five of these and a mebibyte are less than LARGE.
    testServer = await createTestServer({ env: { FORWARD_MAX_BYTES: '100000' } });
    conversationId = testServer.sandbox.conversationId;
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  function assertHandedOut(reply: Pick<Reply, 'status' | 'text' | 'body'>): void {
    assert.equal(reply.status, 202, reply.text);
    assert.deepEqual(Object.keys(reply.body).sort(), [...INITIATE_KEYS, 'mode'].sort());
    assert.equal(reply.body.mode, 'direct');
    assert.equal(reply.body.filename, 'film.mp4');
    assert.equal(reply.body.contentType, 'video/mp4');
    assert.deepEqual(reply.body.headers, { 'Content-Type': 'video/mp4' });
    assert.equal(new URL(reply.body.uploadUrl).origin, testServer.sandbox.storageOrigin);
    assert.equal(seen(testServer, 'initiate').length, 1);
  }

  it('hands out a signed URL by the declared size, with the fields before the file', async () => {
    const declared = { conversationId, channel: 'WHATSAPP', fileSize: LARGE.length };
    const reply = await sendForm(testServer, [...fields(declared), file('film.mp4', LARGE, 'video/mp4')]);
    assertHandedOut(reply);
    assert.equal(reply.body.maxFileSize, 100 * 1024 * 1024);
    assert.equal(jsonOf(testServer, 'initiate')['fileSize'], LARGE.length);
    await testServer.assertClean();
  });

  it('asks for the conversation although the contact is known, which is enough to forward', async () => {
    const { contactId } = testServer.sandbox;
    for (const size of [{ fileSize: LARGE.length }, {}]) {
      const form = [...fields({ contactId, channel: 'WHATSAPP', ...size }), file('film.mp4', LARGE)];
      const details = assertRejected(await sendForm(testServer, form), 400, 'MISSING_FIELD');
      assert.equal(details['field'], 'conversationId');
    }
    assert.equal(seen(testServer, 'initiate').length, 0);
    await testServer.assertClean();
  });

  it('hands out a signed URL by the length of the body', async () => {
    const reply = await sendForm(testServer, [
      ...fields({ conversationId, channel: 'WHATSAPP' }),
      file('film.mp4', LARGE, 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await testServer.assertClean();
  });

  for (const [how, late] of Object.entries({
    'all fields': ['conversationId', 'channel'],
    'the conversation': ['conversationId'],
  })) {
    it(`waits for ${how} behind the file`, async () => {
      const all = { conversationId, channel: 'WHATSAPP' };
      const isLate = ([name]: [string, string]): boolean => late.includes(name);
      const reply = await sendForm(testServer, [
        ...fields(Object.fromEntries(Object.entries(all).filter((entry) => !isLate(entry)))),
        file('film.mp4', LARGE, 'video/mp4'),
        ...fields(Object.fromEntries(Object.entries(all).filter(isLate))),
      ]);
      assertHandedOut(reply);
      assert.equal(jsonOf(testServer, 'initiate')['channel'], 'WHATSAPP');
      await testServer.assertClean();
    });
  }

  it('waits for a channel behind a file that only this channel takes', async () => {
    const film = mp4(6_000_000);
    const reply = await sendForm(testServer, [
      ...fields({ conversationId, fileSize: film.length }),
      file('film.mp4', film, 'video/mp4'),
      ...fields({ channel: 'whatsapp' }),
    ]);
    assertHandedOut(reply);
    await testServer.assertClean();
  });

  it('turns to direct when a file of uncertain size passes the limit of forwarding', async () => {
    const film = mp4(400_000);
    const reply = await sendForm(testServer, [
      ...fields({ ...testServer.fields, channel: 'WHATSAPP' }),
      file('film.mp4', film, 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await testServer.assertClean();
  });

  it('takes the head and the declared size for the whole', async () => {
    const reply = await sendForm(testServer, [
      ...fields({ conversationId, channel: 'WHATSAPP', fileSize: 60_000_000 }),
      file('film.mp4', mp4(4_100), 'video/mp4'),
    ]);
    assertHandedOut(reply);
    await testServer.assertClean();
  });

  it('responds at once when 60 MB are announced and the head is there', async () => {
    const declared = fields({ conversationId, channel: 'WHATSAPP' });
    const head = Buffer.concat([
      encodeForm(declared).subarray(0, -closing().length),
      partHead(file('film.mp4', '', 'video/mp4')),
      mp4(8_000),
    ]);
    using client = await beginUpload(testServer, 60_000_000);
    await client.send(head);
    const { status, text, body } = await client.response();
    assertHandedOut({ status, text, body: body as unknown as Reply['body'] });
    client.leave();
    await testServer.assertClean();
  });

  it('lets the client send all of what it had begun to send', async () => {
    const film = mp4(20_000_000);
    using client = await beginUpload(testServer, film.length + 10_000);
    const declared = fields({ conversationId, channel: 'WHATSAPP' });
    await client.send(encodeForm(declared).subarray(0, -closing().length));
    await client.send(partHead(file('film.mp4', '', 'video/mp4')));
    await client.send(film);
    await client.response();
    await client.send(Buffer.alloc(1_000_000));
    assert.equal(client.socket.destroyed, false);
    client.leave();
    await testServer.assertClean();
  });

  for (const client of ['node:http', 'fetch'] as const) {
    it(`works to its end with ${client}: put, complete, and the stored bytes are the file`, async () => {
      const { body } = await sendForm(testServer, [
        ...fields({ conversationId, fileSize: LARGE.length }),
        file('film.mp4', LARGE.subarray(0, 5_000), 'video/mp4'),
      ]);
      const { uploadUrl, headers, ticket, completeUrl } = body;
      assert.equal(completeUrl, '/api/messages/upload/complete');
      const put = await fetch(uploadUrl, { method: 'PUT', headers, body: LARGE });
      assert.equal(put.status, 200, await put.text());
      assert.equal(seen(testServer, 'put')[0]?.files?.[0]?.sha256, sha256(LARGE));

      const json = { 'Content-Type': 'application/json' };
      const response =
        client === 'fetch'
          ? await fetch(`${testServer.url}${completeUrl}`, {
              method: 'POST',
              headers: json,
              body: JSON.stringify({ ticket }),
            }).then(async (res) => ({ status: res.status, body: (await res.json()) as Reply['body'] }))
          : await complete(testServer, { ticket });
      assert.equal(response.status, 200);
      assert.deepEqual(Object.keys(response.body).sort(), ['delivery', 'metadata', 'uploadedFiles']);
      assert.deepEqual(response.body.metadata, { size: LARGE.length, contentType: 'video/mp4' });
      const shown = await fetch(response.body.uploadedFiles?.['film.mp4'] ?? '');
      assert.equal(sha256(Buffer.from(await shown.arrayBuffer())), sha256(LARGE));
      await testServer.assertClean();
    });
  }

  describe('asked for by mode=direct', () => {
    const path = '?mode=direct';

    it('hands out a signed URL for a small file, without a contact', async () => {
      const reply = await sendForm(
        testServer,
        [...fields({ conversationId }), file('film.mp4', mp4(5_000), 'video/mp4')],
        { path },
      );
      assertHandedOut(reply);
      assert.equal(reply.body.maxFileSize, 5 * 1024 * 1024);
      await testServer.assertClean();
    });

    it('takes one file only', async () => {
      const reply = await sendForm(
        testServer,
        [...fields({ conversationId }), file('a.txt', 'one'), file('b.txt', 'two')],
        { path },
      );
      assert.deepEqual(assertRejected(reply, 400, 'TOO_MANY_FILES'), { max: 1 });
      assert.equal(seen(testServer, 'initiate').length, 0);
      await testServer.assertClean();
    });

    it('rejects a group SMS, whose response only forwarding gives', async () => {
      for (const mode of ['direct', 'relay']) {
        const reply = await sendForm(
          testServer,
          [...fields({ ...testServer.fields, isGroupSms: 'true' }), file('a.txt', 'one')],
          { path: `?mode=${mode}` },
        );
        assert.equal(assertRejected(reply, 400, 'INVALID_FIELD')['field'], 'isGroupSms');
      }
      await testServer.assertClean();
    });

    it('asks for the conversation', async () => {
      const reply = await sendForm(testServer, [file('a.txt', 'one')], { path });
      assert.equal(assertRejected(reply, 400, 'MISSING_FIELD')['field'], 'conversationId');
      await testServer.assertClean();
    });

    it('rejects a file that is longer than declared', async () => {
      const reply = await sendForm(
        testServer,
        [...fields({ conversationId, fileSize: 3 }), file('a.txt', 'four')],
        { path },
      );
      assert.deepEqual(assertRejected(reply, 400, 'SIZE_MISMATCH'), { declared: 3, received: 4 });
      await testServer.assertClean();
    });
  });
});
