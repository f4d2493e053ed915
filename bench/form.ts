import { randomFillSync } from 'node:crypto';

const BOUNDARY = '----bench-form-0123456789';

/** The content type of {@link createForm}'s bodies. */
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/**
 * Content that passes for an MP4. Random bytes, like those of compressed media: a constant filler would make
 * the search for boundaries look cheaper than it is.
 */
export function createContent(bytes: number): Buffer {
  const content = randomFillSync(Buffer.allocUnsafe(bytes));
  Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41', 'latin1').copy(content);
  return content;
}

/** The form that a browser would send with one file. */
export function createForm(content: Buffer, filename: string, contentType: string): Buffer {
  return Buffer.concat([
    Buffer.from(field('conversationId', 'benchConversation001') + field('contactId', 'benchContact000001')),
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="fileAttachment"; filename="${filename}"\r\n` +
        `Content-Type: ${contentType}\r\n\r\n`,
    ),
    content,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
}

function field(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}
