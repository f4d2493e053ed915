import assert from 'node:assert/strict';
import { fixture, mp4, type Part, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-client.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';
import { createTestServer, type TestServer } from '../helpers/test-server.ts';

const SID = `IS${'0123456789abcdefABCDEF0123456789'}`;

describe('the fields of an upload', () => {
  let testServer: TestServer;
  let fields: Part[];
  const picture = filePart('a.png', fixture('picture.png'));
  const film = filePart('film.mp4', mp4(600_000));
  beforeEach(async () => {
    testServer = await createTestServer();
    fields = textParts(testServer.fields);
  });
  afterEach(() => testServer[Symbol.asyncDispose]());

  it('passes on every optional field of Leadway, whether it comes before or after the file', async () => {
    const optional = textParts({
      locationId: testServer.sandbox.locationId,
      chatServiceSid: SID,
      isGroupSms: 'false',
      channel: 'WhatsApp',
    });
    for (const file of [picture, film]) {
      for (const form of [
        [...optional, ...fields, file],
        [file, ...fields, ...optional],
      ]) {
        const response = await sendUpload(testServer, form);
        assert.equal(response.status, 200, response.text);
        // `channel` and `fileSize` are ours: Leadway's specification has neither.
        assert.deepEqual(
          { ...testServer.sandbox.requests.at(-1)?.fields },
          {
            conversationId: [testServer.sandbox.conversationId],
            contactId: [testServer.sandbox.contactId],
            locationId: [testServer.sandbox.locationId],
            chatServiceSid: [SID],
            isGroupSms: ['false'],
          },
        );
      }
    }
    await testServer.assertClean({ completeUploads: 4 });
  });

  it('takes an empty optional field for one that was not given', async () => {
    const empty = textParts({
      locationId: '',
      chatServiceSid: '',
      isGroupSms: '',
      channel: '',
      fileSize: '',
      attachmentUrls: '',
      'attachmentUrls[]': '',
    });
    const response = await sendUpload(testServer, [...empty, ...fields, picture], {
      query: '?mode=&locationId=',
    });
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(testServer.sandbox.requests[0]?.fieldOrder, [
      'conversationId',
      'contactId',
      'locationId',
      'fileAttachment',
    ]);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('ignores fields that it does not know, and forwards none of them', async () => {
    const unknown: Part[] = [
      { name: 'name', content: 'photo' },
      { name: 'type', content: 'image/png' },
      { name: 'relativePath', content: 'null' },
      { name: 'fileAttachment', content: '{"id":"abc"}' },
      { name: 'conversationId[]', content: 'other' },
      { name: 'contactId.x', content: 'other' },
      { name: '__proto__', content: 'polluted' },
      { name: '__proto__[x]', content: 'polluted' },
      { name: 'constructor[prototype][x]', content: 'polluted' },
      { name: 'a[4294967294]', content: 'x' },
      { name: 'a[b][c]', content: 'x' },
      { name: 'hasOwnProperty', content: 'x' },
      { name: 'toString', content: 'x' },
      { name: 'binary', content: Buffer.from([0, 0xff, 0xfe, 1]) },
      { name: 'long', content: 'x'.repeat(100_000) },
    ];
    const response = await sendUpload(testServer, [...unknown, ...fields, picture]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(testServer.sandbox.requests[0]?.fieldOrder, [
      'conversationId',
      'contactId',
      'locationId',
      'fileAttachment',
    ]);
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('needs one of the two ids to forward, and names both where neither came', async () => {
    const both = ['conversationId', 'contactId'];
    const others = fields.filter(({ name }) => !both.includes(name));
    for (const file of [picture, film]) {
      for (const empty of [[], both.map((name) => ({ name, content: '' }))]) {
        const response = await sendUpload(testServer, [...others, ...empty, file]);
        assert.equal(response.status, 400);
        assert.equal(response.body.code, 'MISSING_FIELD');
        assert.deepEqual(response.body.details?.['fields'], both);
        for (const name of both) assert(response.body.message?.includes(`"${name}"`), response.text);
      }
    }
    await testServer.assertClean();
    for (const file of [picture, film]) {
      for (const [given, missing] of [both, both.toReversed()]) {
        const form = fields.filter(({ name }) => name !== missing);
        for (const parts of [
          [...form, file],
          [file, ...form],
          [...form, { name: missing ?? '', content: '' }, file],
        ]) {
          const response = await sendUpload(testServer, parts);
          assert.equal(response.status, 200, response.text);
          const sent = testServer.sandbox.requests.at(-1)?.fields ?? {};
          assert.deepEqual(
            [given, missing].map((name) => Object.hasOwn(sent, name ?? '')),
            [true, false],
          );
        }
      }
    }
    await testServer.assertClean({ completeUploads: 12 });
  });

  it('rejects ids of another shape', async () => {
    const bad = ['a b', 'ü', 'x'.repeat(65), '../x', 'a/b', 'a\r\nb', 'a"b', ' a', 'a%41', '\u0000'];
    for (const name of ['conversationId', 'contactId', 'locationId']) {
      for (const content of bad) {
        const rest = fields.filter((part) => part.name !== name);
        const response = await sendUpload(testServer, [...rest, { name, content }, picture]);
        assert.equal(response.body.code, 'INVALID_FIELD', `${name}=${JSON.stringify(content)}`);
        assert.equal(response.body.details?.['field'], name);
      }
    }
    await testServer.assertClean();
  });

  it('says that a file of 0 declared bytes is empty', async () => {
    const response = await sendUpload(testServer, [...fields, { name: 'fileSize', content: '0' }, picture]);
    assert.equal(response.status, 400, response.text);
    assert.equal(response.body.code, 'EMPTY_FILE');
    await testServer.assertClean();
  });

  it('takes ids of every allowed character, up to 64 of them', async () => {
    const longest = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-';
    const response = await sendUpload(testServer, [
      { name: 'conversationId', content: longest },
      { name: 'contactId', content: '0' },
      picture,
    ]);
    assert.equal(response.status, 200, response.text);
    assert.deepEqual(testServer.sandbox.requests[0]?.fields?.['conversationId'], [longest]);
    await testServer.assertClean({ completeUploads: 1 });
  });

  it('rejects values that are not of their kind', async () => {
    const cases: Record<string, readonly string[]> = {
      chatServiceSid: ['IS123', `SI${'0'.repeat(32)}`, `IS${'g'.repeat(32)}`, `IS${'0'.repeat(33)}`],
      isGroupSms: ['TRUE', '1', 'yes', ' true'],
      isSecureAttachment: ['TRUE', '1', 'yes', ' true'],
      channel: ['SMS CHANNEL', 'x'.repeat(33), '1SMS', 'SMS\r\n'],
      fileSize: ['-1', '1.5', '1e3', '0x10', ' 5', '5 ', '012', 'NaN', '9'.repeat(16)],
    };
    for (const [name, values] of Object.entries(cases)) {
      for (const content of values) {
        const response = await sendUpload(testServer, [...fields, { name, content }, picture]);
        assert.equal(response.status, 400, `${name}=${JSON.stringify(content)}: ${response.text}`);
        assert.equal(response.body.code, 'INVALID_FIELD');
        assert.equal(response.body.details?.['field'], name);
      }
    }
    await testServer.assertClean();
  });

  it('passes isSecureAttachment on, and says when the URL stops being public', async () => {
    const hourMs = 60 * 60_000;
    for (const file of [picture, film]) {
      for (const [content, isSecure] of [
        ['true', true],
        ['false', false],
        ['', false],
      ] as const) {
        const before = Date.now();
        const response = await sendUpload(testServer, [
          ...fields,
          file,
          { name: 'isSecureAttachment', content },
        ]);
        assert.equal(response.status, 200, response.text);
        const sent = testServer.sandbox.requests.at(-1)?.fields?.['isSecureAttachment'];
        assert.deepEqual(sent, content === '' ? undefined : [content]);
        const { expiresAt } = response.body as { expiresAt?: number };
        if (!isSecure) assert.equal(expiresAt, undefined);
        else
          assert(expiresAt !== undefined && expiresAt >= before + hourMs && expiresAt <= Date.now() + hourMs);
      }
    }
    await testServer.assertClean({ completeUploads: 6 });
  });

  it('never lets a file that must stay private go direct or be relayed', async () => {
    const secure = { name: 'isSecureAttachment', content: 'true' };
    for (const query of ['?mode=direct', '?mode=relay']) {
      for (const form of [
        [secure, ...fields, picture],
        [...fields, picture, secure],
        [secure, ...fields, film],
      ]) {
        const response = await sendUpload(testServer, form, { query });
        assert.equal(response.status, 400, response.text);
        assert.equal(response.body.code, 'INVALID_FIELD');
        assert.equal(response.body.details?.['field'], 'isSecureAttachment');
        assert.match(response.body.message ?? '', /mode=forward.*private/);
      }
    }
    const relayed = await sendUpload(testServer, [...fields, film, secure], { query: '?mode=relay' });
    assert.equal(relayed.body.code, 'INVALID_FIELD');
    assert(testServer.sandbox.requests.every(({ path }) => !path?.endsWith('/complete')));
    await using small = await createTestServer({ env: { FORWARD_MAX_BYTES: '100000' } });
    const usual = textParts({ ...small.fields, channel: 'WHATSAPP' });
    for (const form of [
      [...usual, secure, filePart('film.mp4', mp4(100_001))],
      [
        ...textParts({ channel: 'WHATSAPP' }),
        secure,
        filePart('film.mp4', mp4(100_001)),
        ...textParts(small.fields),
      ],
      [...textParts({ fileSize: '100001' }), secure, ...usual, filePart('film.mp4', mp4(100_001))],
    ]) {
      const response = await sendUpload(small, form);
      assert.equal(response.status, 413, response.text);
      assert.deepEqual(response.body.details, { limit: 100_000, channel: 'WHATSAPP' });
    }
    await small.assertClean();
  });

  it('rejects a field that came twice, wherever the second one is', async () => {
    for (const name of ['conversationId', 'contactId', 'locationId', 'chatServiceSid', 'channel']) {
      const content = { chatServiceSid: SID, channel: 'SMS', locationId: testServer.sandbox.locationId }[
        name
      ];
      const twice = { name, content: content ?? 'sandboxContact01' };
      const rest = fields.filter((part) => part.name !== name);
      for (const file of [picture, film]) {
        for (const form of [
          [...rest, twice, twice, file],
          [...rest, twice, file, twice],
          [file, twice, twice, ...rest],
        ]) {
          const response = await sendUpload(testServer, form);
          assert.equal(response.status, 400);
          assert.equal(response.body.code, 'DUPLICATE_FIELD', `${name}: ${response.text}`);
          assert.equal(response.body.details?.['field'], name);
        }
      }
    }
    await testServer.assertClean();
  });

  it('rejects a value that is not UTF-8 and one that is too long', async () => {
    for (const [content, status, code] of [
      [Buffer.from([0x61, 0xff]), 400, 'INVALID_FIELD'],
      ['x'.repeat(8 * 1024 + 1), 400, 'INVALID_FIELD'],
      ['x'.repeat(1024 * 1024), 400, 'INVALID_FIELD'],
    ] as const) {
      const response = await sendUpload(testServer, [...fields, { name: 'channel', content }, picture]);
      assert.equal(response.status, status);
      assert.equal(response.body.code, code);
    }
    await testServer.assertClean();
  });

  it('rejects a value that is too long as soon as it is, and not at its end', async () => {
    using client = await beginUpload(testServer, 500_000);
    await client.send(Buffer.concat([partHead({ name: 'channel', content: '' }), Buffer.alloc(9_000, 'x')]));
    const { status, body } = await client.response();
    assert.equal(`${status} ${body.code} ${body.details?.['field']}`, '400 INVALID_FIELD channel');
    client.leave();
    await testServer.assertClean();
  });

  it('rejects a wrong late field of a streamed upload and cuts what Leadway has', async () => {
    const form = [...fields, film, { name: 'chatServiceSid', content: 'nonsense' }];
    const response = await sendUpload(testServer, form);
    assert.equal(response.status, 400);
    assert.equal(response.body.code, 'INVALID_FIELD');
    await testServer.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await testServer.assertClean();
  });
});
