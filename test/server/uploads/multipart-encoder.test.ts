import assert from 'node:assert/strict';
import { createMultipartEncoder, escapeName } from '../../../server/uploads/multipart-encoder.ts';

describe('createMultipartEncoder', () => {
  it('writes a form that a browser could have written', () => {
    const encoder = createMultipartEncoder();
    const boundary = /^multipart\/form-data; boundary=([\w-]{1,70})$/.exec(encoder.contentType)?.[1];
    const body = [
      encoder.field('a', 'línea\r\n2'),
      encoder.fileHead('f', 'ñ"\r\n.png', 'image/png'),
      'content',
      encoder.fileTail,
      encoder.closing,
    ];
    assert.equal(
      body.join(''),
      `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\nlínea\r\n2\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="ñ%22%0D%0A.png"\r\n` +
        `Content-Type: image/png\r\n\r\ncontent\r\n--${boundary}--\r\n`,
    );
  });

  it('never takes the same boundary twice', () => {
    const types = new Set(Array.from({ length: 100 }, () => createMultipartEncoder().contentType));
    assert.equal(types.size, 100);
  });
});

describe('escapeName', () => {
  it('escapes what would end the quotes or the line, and nothing else', () => {
    assert.equal(escapeName('a"b\rc\nd%22\\é'), 'a%22b%0Dc%0Ad%22\\é');
  });
});
