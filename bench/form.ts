import { randomFillSync } from 'node:crypto';

const BOUNDARY = '----bench-form-0123456789';
const CONVERSATION = 'benchConversation001';

/** The location that our server has a token for. */
export const LOCATION = 'benchLocation0000001';

/** What a request of the load asks for: to upload one file, or to get a signed URL by JSON. */
export type RequestKind = 'upload' | 'initiate';

/** The headers and the body of a POST. */
export interface RequestBytes {
  readonly head: Buffer;
  readonly body: Buffer;
}

/** The content type of {@link createForm}'s bodies. */
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/**
 * Content that passes for an MP4. It is random like compressed media: a constant filler would make the search for
 * boundaries look cheaper than it is.
 */
export function createContent(bytes: number): Buffer {
  const content = randomFillSync(Buffer.allocUnsafe(bytes));
  Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41', 'latin1').copy(content);
  return content;
}

/** The form that a browser sends with one file. */
export function createForm(content: Buffer, filename: string, contentType: string): Buffer {
  return Buffer.concat([
    Buffer.from(field('conversationId', CONVERSATION) + field('contactId', 'benchContact000001')),
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

/** The JSON that asks for a signed URL; Leadway and our server understand the same one. */
export function createInitiateBody(fileSize: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      locationId: LOCATION,
      conversationId: CONVERSATION,
      filename: 'clip.mp4',
      contentType: 'video/mp4',
      fileSize,
      channel: 'SMS',
    }),
  );
}

/** The bytes before the body of a POST. */
export function createHead(port: number, path: string, contentType: string, bodyBytes: number): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n` +
      `Content-Type: ${contentType}\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
  );
}

const forms = new Map<number, Buffer>();

/** A whole request. The last form is kept, so that making it is not part of what is measured. */
export function createRequest(
  kind: RequestKind,
  port: number,
  path: string,
  fileBytes: number,
): RequestBytes {
  if (kind === 'initiate') {
    const body = createInitiateBody(fileBytes);
    return { head: createHead(port, path, 'application/json', body.length), body };
  }
  let body = forms.get(fileBytes);
  if (body === undefined) {
    body = createForm(createContent(fileBytes), 'clip.mp4', 'video/mp4');
    forms.clear();
    forms.set(fileBytes, body);
  }
  return { head: createHead(port, path, FORM_TYPE, body.length), body };
}
