import assert from 'node:assert/strict';
import { fileTypeFromBuffer } from 'file-type';
import type { Matcher } from '../../../server/file-types/file-type.ts';
import { FILE_TYPES } from '../../../server/file-types/file-types.ts';
import { fixture } from '../../helpers/multipart.ts';
import { createRandom } from '../../helpers/random.ts';

/** What file-type calls the kinds whose signature is believed without asking it. */
const KINDS = [
  { name: 'jpg', file: 'progressive.jpeg', called: ['jpg'] },
  { name: 'png', file: 'picture.png', called: ['png', 'apng'] },
  { name: 'mp4', file: 'moov-first.mp4', called: ['mp4', 'm4v', 'f4v', '3gp', '3g2'] },
  { name: 'rar', file: 'rar5.rar', called: ['rar'] },
  { name: 'pdf', file: 'writer.pdf', called: ['pdf'] },
  { name: 'doc', file: 'document.doc', called: ['cfb'] },
  { name: 'wav', file: 'tone.wav', called: ['wav'] },
] as const;

/** Signatures that file-type looks for elsewhere than at the first byte. */
const PLANTED: readonly (readonly [number, string])[] = [
  [2, '-lh5-'],
  [4, 'ftyp'],
  [4, 'moov'],
  [4, 'mdat'],
  [4, 'free'],
  [4, 'wide'],
  [8, 'WEBP'],
  [8, 'AVI '],
  [10, 'qt  '],
  [8, 'heic'],
  [8, 'F4P '],
  [8, 'qt\0\0'],
  [14, ' EPSF-'],
  [128, 'DICM'],
  [257, 'ustar\0'],
];

/** Whether file-type is asked about such a head anyway. */
function isAsked({ contradictedBy, isDoubtful }: Matcher, head: Buffer): boolean {
  return contradictedBy !== null && isDoubtful?.(head) !== false;
}

describe('a signature that is believed without a second opinion', () => {
  for (const { name, file, called } of KINDS) {
    it(`is one that file-type never calls anything else: ${name}`, async () => {
      const matcher = FILE_TYPES[name].matcher;
      const random = createRandom(7);
      const below = (limit: number) => Math.floor(random() * limit);
      let admitted = 0;
      for (let round = 0; round < 600; round += 1) {
        const head = Buffer.from(fixture(file).subarray(0, 4_100));
        for (let count = below(12); count > 0; count -= 1) {
          // Mostly among the first bytes, where signatures are.
          const at = below(3) === 0 ? below(head.length) : below(Math.min(32, head.length));
          head[at] = below(256);
        }
        const planted = PLANTED[below(2 * PLANTED.length)];
        if (planted !== undefined && head.length > 300) head.write(planted[1], planted[0], 'latin1');
        if (!matcher.match(head, false).matches || isAsked(matcher, head)) continue;
        admitted += 1;
        const opinion = await fileTypeFromBuffer(head);
        const calls: readonly string[] = called;
        assert(
          opinion === undefined || calls.includes(opinion.ext),
          `${opinion?.ext}: ${head.toString('hex', 0, 32)}`,
        );
      }
      assert(admitted > 20, `only ${admitted} heads were taken`);
    });
  }
});
