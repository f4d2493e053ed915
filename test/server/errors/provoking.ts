import { fixture, type Part } from '../../helpers/multipart.ts';
import { filePart, type SendOptions, sendUpload, textParts } from '../../helpers/send-upload.ts';
import { settled, type TestServer } from '../../helpers/test-server.ts';
import { dial, type WireResponse } from '../http/wire.ts';
import type { ErrorResponse } from './assert-error.ts';

/** A file that is accepted. */
export const PICTURE = filePart('picture.png', fixture('picture.png'));

/** Uploads `files` with usual fields, of which some are replaced, or left out where they are empty. */
export function upload(
  testServer: TestServer,
  files: readonly Part[] = [PICTURE],
  fields: Readonly<Record<string, string>> = {},
  options: SendOptions = {},
): Promise<ErrorResponse> {
  return sendUpload(testServer, [...textParts({ ...testServer.fields, ...fields }), ...files], options);
}

/** Uploads a picture to a conversation at which Leadway fails so. */
export function meet(fault: string, query = '') {
  return (testServer: TestServer): Promise<ErrorResponse> =>
    upload(testServer, [PICTURE], { conversationId: `fault-${fault}` }, { query });
}

/** Calls the API. */
export async function call(
  testServer: TestServer,
  path: string,
  init: RequestInit = {},
): Promise<ErrorResponse> {
  const response = await fetch(`${testServer.api}${path}`, init);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.json(),
  };
}

/** POSTs JSON, or `body` as it is when it is text. */
export function post(
  testServer: TestServer,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return call(testServer, path, {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/** Asks for a signed URL; gives the response's body. */
export async function initiate(testServer: TestServer): Promise<Record<string, string>> {
  const { conversationId } = testServer.fields;
  const file = { conversationId, filename: 'picture.png', contentType: 'image/png' };
  const { body } = await post(testServer, '/messages/upload/initiate', file);
  return body as Record<string, string>;
}

/** Sends bytes over a bare connection and reads one response. */
export function raw(bytes: string) {
  return async (testServer: TestServer): Promise<WireResponse> => {
    using wire = await dial(testServer.url, bytes);
    return await wire.response();
  };
}

/** What `second` is told while an upload of `first` is in flight. */
export async function meanwhile(testServer: TestServer, second: string): Promise<ErrorResponse> {
  const head = 'POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n';
  using _ = await dial(
    testServer.url,
    `${head}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n`,
  );
  await settled(() => testServer.server.context.slots.taken === 1, 'the first upload has a slot');
  return await upload(testServer, [PICTURE], {}, { headers: { 'X-Forwarded-For': second } });
}
