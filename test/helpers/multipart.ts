import { readFileSync } from 'node:fs';

/** A part of a form: a text field, or a file when it has a name for one. */
export interface Part {
  readonly name: string;
  readonly content: string | Buffer;
  readonly filename?: string;
  readonly contentType?: string;
}

/** The boundary of every form that {@link encodeForm} makes. */
export const BOUNDARY = 'test-boundary';

/** The content type of such a form. */
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** Bytes of a form, as a browser would send it. */
export function encodeForm(parts: readonly Part[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap((part) => [partHead(part), Buffer.from(part.content), Buffer.from('\r\n')]),
    closing(),
  ]);
}

/** The headers of a part, with the delimiter before them. */
export function partHead({ name, filename, contentType }: Part): Buffer {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  return Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${type}\r\n`);
}

/** The closing delimiter. */
export function closing(): Buffer {
  return Buffer.from(`--${BOUNDARY}--\r\n`);
}

/** A real file of the kind, by its name under test/fixtures/types. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/types/${name}`, import.meta.url));
}

/** A file that begins like an MP4 and has `bytes` bytes. */
export function mp4(bytes: number): Buffer {
  const content = Buffer.alloc(bytes, 0x55);
  Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41', 'latin1').copy(content);
  return content;
}
