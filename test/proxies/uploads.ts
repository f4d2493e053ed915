import assert from 'node:assert/strict';
import { encodeForm, FORM_TYPE, fixture, mp4 } from '../helpers/multipart.ts';
import { type ApiResponse, filePart, textParts } from '../helpers/send-upload.ts';
import type { Sending } from './send.ts';

const MIB = 1024 * 1024;

/** An upload of the matrix and what must come back. */
export interface MatrixUpload {
  readonly name: string;
  readonly sending: Sending;
  readonly status: number;
  /** The code of the error, or the mode of the success. */
  readonly word: string;
}

/** A file of `bytes` bytes that is a PNG and whose name says JPEG. */
export function wrongContent(bytes: number): Buffer {
  const content = Buffer.alloc(bytes, 0x41);
  fixture('picture.png').copy(content);
  return content;
}

/** Uploads that the server rejects long before their end. */
export function rejectedUploads(fields: Readonly<Record<string, string>>, bytes = 50 * MIB): MatrixUpload[] {
  return [
    {
      name: 'rejected by content',
      sending: upload({ ...fields, channel: 'WHATSAPP' }, 'photo.jpg', wrongContent(bytes)),
      status: 415,
      word: 'TYPE_MISMATCH',
    },
    {
      name: 'rejected by size',
      sending: upload({ ...fields, channel: 'SMS' }, 'film.mp4', mp4(bytes)),
      status: 413,
      word: 'FILE_TOO_LARGE',
    },
  ];
}

/** Uploads of every mode, which must succeed. */
export function acceptedUploads(fields: Readonly<Record<string, string>>): MatrixUpload[] {
  const whatsapp = { ...fields, channel: 'WHATSAPP' };
  const film = mp4(60 * MIB);
  return [
    {
      name: 'small',
      sending: upload(fields, 'photo.png', fixture('picture.png')),
      status: 200,
      word: 'forward',
    },
    {
      name: '60 MiB relay',
      sending: upload(whatsapp, 'film.mp4', film, '?mode=relay'),
      status: 200,
      word: 'relay',
    },
    {
      name: '60 MiB direct',
      sending: upload(whatsapp, 'film.mp4', film, '?mode=direct'),
      status: 202,
      word: 'direct',
    },
  ];
}

/** An upload of one file. */
export function upload(
  fields: Readonly<Record<string, string>>,
  filename: string,
  content: Buffer,
  query = '',
): Sending {
  const body = encodeForm([...textParts(fields), filePart(filename, content)]);
  return {
    path: `/api/messages/upload${query}`,
    headers: { 'content-type': FORM_TYPE, 'content-length': String(body.length) },
    body,
  };
}

/** Asserts that the response is the JSON that the upload must get. */
export function assertExpected({ status, body, text }: ApiResponse, expected: MatrixUpload): void {
  assert.equal(
    `${status} ${body.code ?? body.mode ?? text.slice(0, 200)}`,
    `${expected.status} ${expected.word}`,
  );
}
