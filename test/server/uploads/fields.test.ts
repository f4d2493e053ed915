import assert from 'node:assert/strict';
import { parseUploadFields, required } from '../../../server/uploads/fields.ts';

describe('parseUploadFields', () => {
  const parse = (raw: Record<string, unknown>) => parseUploadFields(raw, ['https://files.example']);

  it('has nothing to say of an empty form', () => {
    assert.deepEqual(parse({}), {
      conversationId: null,
      contactId: null,
      locationId: null,
      attachmentUrls: [],
      chatServiceSid: null,
      isGroupSms: null,
      isSecureAttachment: null,
      channel: null,
      fileSize: null,
      filename: null,
      contentType: null,
    });
  });

  it('reads values as forms and as JSON bring them', () => {
    assert.equal(parse({ fileSize: '5' }).fileSize, 5);
    assert.equal(parse({ fileSize: 5 }).fileSize, 5);
    assert.equal(parse({ channel: 'whatsApp' }).channel, 'WHATSAPP');
    assert.equal(parse({ isGroupSms: 'false' }).isGroupSms, false);
    assert.deepEqual(parse({ attachmentUrls: ['', 'https://files.example/a b'] }).attachmentUrls, [
      'https://files.example/a%20b',
    ]);
  });

  it('rejects values of other types, which JSON could bring', () => {
    for (const value of [5, true, {}, { length: 1 }]) {
      assert.throws(() => parse({ conversationId: value }), { code: 'INVALID_FIELD' });
      assert.throws(() => parse({ attachmentUrls: value }), { code: 'INVALID_FIELD' });
    }
    for (const value of [-1, '00', '-0', '0.0', 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e21, true]) {
      assert.throws(() => parse({ fileSize: value }), { code: 'INVALID_FIELD' }, String(value));
    }
    for (const name of ['conversationId', 'isGroupSms', 'fileSize', 'channel', 'filename']) {
      assert.throws(() => parse({ [name]: ['a', 'a'] }), { code: 'DUPLICATE_FIELD' });
    }
  });

  it('says what a size or a flag must be when JSON brings something else than text', () => {
    assert.throws(() => parse({ fileSize: true }), { message: /must be a whole number of bytes/ });
    assert.throws(() => parse({ isGroupSms: 1 }), { message: /must be one of: true, false/ });
  });

  it('says that a file of no bytes is empty', () => {
    for (const value of [0, -0, '0']) assert.throws(() => parse({ fileSize: value }), { code: 'EMPTY_FILE' });
  });

  it('takes one empty list of attachment URLs for none, however it is written', () => {
    for (const value of ['', '[]', [], [''], null])
      assert.deepEqual(parse({ attachmentUrls: value }).attachmentUrls, []);
    for (const value of [['[]', '[]'], '[ ]', 'null'])
      assert.throws(() => parse({ attachmentUrls: value }), { code: 'INVALID_FIELD' });
  });

  it('does not look at what an object has by nature', () => {
    assert.equal(parse(Object.create({ conversationId: undefined })).conversationId, null);
  });
});

describe('required', () => {
  it('names the field that is missing', () => {
    assert.equal(required('x', 'contactId'), 'x');
    assert.throws(() => required(null, 'contactId'), { code: 'MISSING_FIELD' });
  });
});
