import assert from 'node:assert/strict';
import { createHouse, type House } from '../helpers/house.ts';
import { fixture, mp4, type Part, partHead } from '../helpers/multipart.ts';
import { beginUpload } from '../helpers/raw-caller.ts';
import { filePart, sendUpload, textParts } from '../helpers/send-upload.ts';

const SID = `IS${'0123456789abcdefABCDEF0123456789'}`;

describe('the fields of an upload', () => {
  let house: House;
  let fields: Part[];
  const picture = filePart('a.png', fixture('picture.png'));
  const film = filePart('film.mp4', mp4(600_000));
  beforeEach(async () => {
    house = await createHouse();
    fields = textParts(house.fields);
  });
  afterEach(() => house[Symbol.asyncDispose]());

  it('passes on every optional field of Leadway, whether it comes before or after the file', async () => {
    const optional = textParts({
      locationId: house.sandbox.locationId,
      chatServiceSid: SID,
      isGroupSms: 'false',
      channel: 'WhatsApp',
    });
    for (const file of [picture, film]) {
      for (const form of [
        [...optional, ...fields, file],
        [file, ...fields, ...optional],
      ]) {
        const answer = await sendUpload(house, form);
        assert.equal(answer.status, 200, answer.text);
        // `channel` and `fileSize` are ours: Leadway's specification has neither.
        assert.deepEqual(
          { ...house.sandbox.requests.at(-1)?.fields },
          {
            conversationId: [house.sandbox.conversationId],
            contactId: [house.sandbox.contactId],
            locationId: [house.sandbox.locationId],
            chatServiceSid: [SID],
            isGroupSms: ['false'],
          },
        );
      }
    }
    await house.assertTidy({ completeUploads: 4 });
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
    const answer = await sendUpload(house, [...empty, ...fields, picture], { query: '?mode=&locationId=' });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(house.sandbox.requests[0]?.fieldOrder, [
      'conversationId',
      'contactId',
      'locationId',
      'fileAttachment',
    ]);
    await house.assertTidy({ completeUploads: 1 });
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
    const answer = await sendUpload(house, [...unknown, ...fields, picture]);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(house.sandbox.requests[0]?.fieldOrder, [
      'conversationId',
      'contactId',
      'locationId',
      'fileAttachment',
    ]);
    assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('needs one of the two ids to forward, and names both where neither came', async () => {
    const both = ['conversationId', 'contactId'];
    const others = fields.filter(({ name }) => !both.includes(name));
    for (const file of [picture, film]) {
      for (const empty of [[], both.map((name) => ({ name, content: '' }))]) {
        const response = await sendUpload(house, [...others, ...empty, file]);
        assert.equal(response.status, 400);
        assert.equal(response.body.code, 'MISSING_FIELD');
        assert.deepEqual(response.body.details?.['fields'], both);
        for (const name of both) assert(response.body.message?.includes(`"${name}"`), response.text);
      }
    }
    await house.assertTidy();
    for (const file of [picture, film]) {
      for (const [given, missing] of [both, both.toReversed()]) {
        const form = fields.filter(({ name }) => name !== missing);
        for (const parts of [
          [...form, file],
          [file, ...form],
          [...form, { name: missing ?? '', content: '' }, file],
        ]) {
          const response = await sendUpload(house, parts);
          assert.equal(response.status, 200, response.text);
          const sent = house.sandbox.requests.at(-1)?.fields ?? {};
          assert.deepEqual(
            [given, missing].map((name) => Object.hasOwn(sent, name ?? '')),
            [true, false],
          );
        }
      }
    }
    await house.assertTidy({ completeUploads: 12 });
  });

  it('refuses ids of another shape', async () => {
    const bad = ['a b', 'ü', 'x'.repeat(65), '../x', 'a/b', 'a\r\nb', 'a"b', ' a', 'a%41', '\u0000'];
    for (const name of ['conversationId', 'contactId', 'locationId']) {
      for (const content of bad) {
        const rest = fields.filter((part) => part.name !== name);
        const answer = await sendUpload(house, [...rest, { name, content }, picture]);
        assert.equal(answer.body.code, 'INVALID_FIELD', `${name}=${JSON.stringify(content)}`);
        assert.equal(answer.body.details?.['field'], name);
      }
    }
    await house.assertTidy();
  });

  it('says that a file of 0 declared bytes is empty', async () => {
    const answer = await sendUpload(house, [...fields, { name: 'fileSize', content: '0' }, picture]);
    assert.equal(answer.status, 400, answer.text);
    assert.equal(answer.body.code, 'EMPTY_FILE');
    await house.assertTidy();
  });

  it('takes ids of every allowed character, up to 64 of them', async () => {
    const longest = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-';
    const answer = await sendUpload(house, [
      { name: 'conversationId', content: longest },
      { name: 'contactId', content: '0' },
      picture,
    ]);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(house.sandbox.requests[0]?.fields?.['conversationId'], [longest]);
    await house.assertTidy({ completeUploads: 1 });
  });

  it('refuses values that are not of their kind', async () => {
    const cases: Record<string, readonly string[]> = {
      chatServiceSid: ['IS123', `SI${'0'.repeat(32)}`, `IS${'g'.repeat(32)}`, `IS${'0'.repeat(33)}`],
      isGroupSms: ['TRUE', '1', 'yes', ' true'],
      isSecureAttachment: ['TRUE', '1', 'yes', ' true'],
      channel: ['SMS CHANNEL', 'x'.repeat(33), '1SMS', 'SMS\r\n'],
      fileSize: ['-1', '1.5', '1e3', '0x10', ' 5', '5 ', '012', 'NaN', '9'.repeat(16)],
    };
    for (const [name, values] of Object.entries(cases)) {
      for (const content of values) {
        const answer = await sendUpload(house, [...fields, { name, content }, picture]);
        assert.equal(answer.status, 400, `${name}=${JSON.stringify(content)}: ${answer.text}`);
        assert.equal(answer.body.code, 'INVALID_FIELD');
        assert.equal(answer.body.details?.['field'], name);
      }
    }
    await house.assertTidy();
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
        const response = await sendUpload(house, [...fields, file, { name: 'isSecureAttachment', content }]);
        assert.equal(response.status, 200, response.text);
        const sent = house.sandbox.requests.at(-1)?.fields?.['isSecureAttachment'];
        assert.deepEqual(sent, content === '' ? undefined : [content]);
        const { expiresAt } = response.body as { expiresAt?: number };
        if (!isSecure) assert.equal(expiresAt, undefined);
        else
          assert(expiresAt !== undefined && expiresAt >= before + hourMs && expiresAt <= Date.now() + hourMs);
      }
    }
    await house.assertTidy({ completeUploads: 6 });
  });

  it('refuses a field that came twice, wherever the second one is', async () => {
    for (const name of ['conversationId', 'contactId', 'locationId', 'chatServiceSid', 'channel']) {
      const content = { chatServiceSid: SID, channel: 'SMS', locationId: house.sandbox.locationId }[name];
      const twice = { name, content: content ?? 'sandboxContact01' };
      const rest = fields.filter((part) => part.name !== name);
      for (const file of [picture, film]) {
        for (const form of [
          [...rest, twice, twice, file],
          [...rest, twice, file, twice],
          [file, twice, twice, ...rest],
        ]) {
          const answer = await sendUpload(house, form);
          assert.equal(answer.status, 400);
          assert.equal(answer.body.code, 'DUPLICATE_FIELD', `${name}: ${answer.text}`);
          assert.equal(answer.body.details?.['field'], name);
        }
      }
    }
    await house.assertTidy();
  });

  it('refuses a value that is not UTF-8 and one that is too long', async () => {
    for (const [content, status, code] of [
      [Buffer.from([0x61, 0xff]), 400, 'INVALID_FIELD'],
      ['x'.repeat(8 * 1024 + 1), 400, 'INVALID_FIELD'],
      ['x'.repeat(1024 * 1024), 400, 'INVALID_FIELD'],
    ] as const) {
      const answer = await sendUpload(house, [...fields, { name: 'channel', content }, picture]);
      assert.equal(answer.status, status);
      assert.equal(answer.body.code, code);
    }
    await house.assertTidy();
  });

  it('refuses a value that is too long as soon as it is, and not at its end', async () => {
    using caller = await beginUpload(house, 500_000);
    await caller.send(Buffer.concat([partHead({ name: 'channel', content: '' }), Buffer.alloc(9_000, 'x')]));
    const { status, body } = await caller.answer();
    assert.equal(`${status} ${body.code} ${body.details?.['field']}`, '400 INVALID_FIELD channel');
    caller.leave();
    await house.assertTidy();
  });

  it('refuses a wrong late field of a streamed upload and cuts what Leadway has', async () => {
    const form = [...fields, film, { name: 'chatServiceSid', content: 'nonsense' }];
    const answer = await sendUpload(house, form);
    assert.equal(answer.status, 400);
    assert.equal(answer.body.code, 'INVALID_FIELD');
    await house.sandbox.waitFor(([sent]) => sent?.aborted === true);
    await house.assertTidy();
  });
});
