import { signatureMatcher } from './matcher.ts';

/**
 * JPEG: ITU-T T.81, annex B. SOI, then a marker segment that may stand at the beginning (tables,
 * frame headers, application data, comments) with a length that counts at least itself.
 */
export const jpeg = signatureMatcher(isJpeg);

const SOI = Buffer.from([0xff, 0xd8]);

function isJpeg(head: Buffer): boolean {
  if (!head.subarray(0, 2).equals(SOI) || head[2] !== 0xff) return false;
  let at = 3;
  while (head[at] === 0xff) at += 1; // B.1.1.2: any marker may be preceded by fill bytes
  const marker = head[at];
  if (marker === undefined || !mayComeFirst(marker) || at + 3 > head.length) return false;
  return head.readUInt16BE(at + 1) >= 2;
}

function mayComeFirst(marker: number): boolean {
  const isFrameOrHuffman = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8; // C8 is reserved
  const isTable = marker === 0xdb || marker === 0xdd || marker === 0xde; // DQT, DRI, DHP
  const isApplication = marker >= 0xe0 && marker <= 0xef;
  return isFrameOrHuffman || isTable || isApplication || marker === 0xfe;
}
