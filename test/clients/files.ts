import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixture, mp4 } from '../helpers/multipart.ts';
import { type MatrixUpload, wrongContent } from '../proxies/uploads.ts';
import type { ClientResponse } from './clients.ts';

const MIB = 1024 * 1024;

/** An upload that every client makes, and what it must read. */
export interface ClientCase extends Pick<MatrixUpload, 'name' | 'status' | 'word'> {
  readonly query: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly path: string;
}

/** Writes the files of the client matrix into `folder`: two uploads that are rejected, then one of each mode. */
export async function writeClientCases(
  folder: string,
  fields: Readonly<Record<string, string>>,
): Promise<{ readonly rejected: readonly ClientCase[]; readonly accepted: readonly ClientCase[] }> {
  const write = async (name: string, content: Buffer): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const [film, photo, picture] = [
    await write('film.mp4', mp4(25 * MIB)),
    await write('photo.jpg', wrongContent(25 * MIB)),
    await write('picture.png', fixture('picture.png')),
  ];
  const sms = { ...fields, channel: 'SMS' };
  const whatsapp = { ...fields, channel: 'WHATSAPP' };
  return {
    rejected: [
      {
        name: 'rejected by content',
        query: '',
        fields: whatsapp,
        path: photo,
        status: 415,
        word: 'TYPE_MISMATCH',
      },
      { name: 'rejected by size', query: '', fields: sms, path: film, status: 413, word: 'FILE_TOO_LARGE' },
    ],
    accepted: [
      { name: 'small', query: '', fields: sms, path: picture, status: 200, word: 'forward' },
      {
        name: '25 MiB relay',
        query: '?mode=relay',
        fields: whatsapp,
        path: film,
        status: 200,
        word: 'relay',
      },
      { name: '25 MiB direct', query: '', fields: whatsapp, path: film, status: 202, word: 'direct' },
    ],
  };
}

/** The status of a response, and its error code or the mode of its success. */
export function toWord({ status, text }: ClientResponse): string {
  const { code, mode } = JSON.parse(text) as { readonly code?: string; readonly mode?: string };
  return `${status} ${code ?? mode}`;
}
