import { type House, settled } from '../../helpers/house.ts';
import { fixture, type Part } from '../../helpers/multipart.ts';
import { filePart, type SendOptions, sendUpload, textParts } from '../../helpers/send-upload.ts';
import { dial, type WireAnswer } from '../http/wire.ts';
import type { ErrorAnswer } from './assert-error.ts';

/** A file that is accepted. */
export const PICTURE = filePart('picture.png', fixture('picture.png'));

/** Uploads `files` with usual fields, of which some are replaced, or left out where they are empty. */
export function upload(
  house: House,
  files: readonly Part[] = [PICTURE],
  fields: Readonly<Record<string, string>> = {},
  options: SendOptions = {},
): Promise<ErrorAnswer> {
  return sendUpload(house, [...textParts({ ...house.fields, ...fields }), ...files], options);
}

/** Uploads a picture to a conversation at which Leadway fails so. */
export function meet(fault: string, query = '') {
  return (house: House): Promise<ErrorAnswer> =>
    upload(house, [PICTURE], { conversationId: `fault-${fault}` }, { query });
}

/** Calls the API. */
export async function call(house: House, path: string, init: RequestInit = {}): Promise<ErrorAnswer> {
  const answer = await fetch(`${house.api}${path}`, init);
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: await answer.json(),
  };
}

/** POSTs JSON, or `body` as it is when it is text. */
export function post(house: House, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return call(house, path, {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}

/** Asks for a signed URL; gives the answer's body. */
export async function initiate(house: House): Promise<Record<string, string>> {
  const { conversationId } = house.fields;
  const file = { conversationId, filename: 'picture.png', contentType: 'image/png' };
  const { body } = await post(house, '/messages/upload/initiate', file);
  return body as Record<string, string>;
}

/** Sends bytes over a bare connection and reads one answer. */
export function raw(bytes: string) {
  return async (house: House): Promise<WireAnswer> => {
    using wire = await dial(house.url, bytes);
    return await wire.answer();
  };
}

/** What `second` is told while an upload of `first` is under way. */
export async function meanwhile(house: House, second: string): Promise<ErrorAnswer> {
  const head = 'POST /api/messages/upload HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n';
  using _ = await dial(
    house.url,
    `${head}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n`,
  );
  await settled(() => house.server.context.slots.taken === 1, 'the first upload has a slot');
  return await upload(house, [PICTURE], {}, { headers: { 'X-Forwarded-For': second } });
}
