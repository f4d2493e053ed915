import { anythingBut, differs, FITS, type Matcher } from './matcher.ts';

/**
 * MPEG-1 and MPEG-2 video: a program stream's pack header (ISO/IEC 11172-1 section 2.4.3.2 and
 * 13818-1 section 2.5.3.3) or an elementary stream's sequence header (11172-2 and 13818-2 section 6.2.2.1).
 * Transport streams are another kind.
 */
export const mpeg: Matcher = {
  judgeHead: (head) => (isPackHeader(head) || isSequenceHeader(head) ? FITS : differs()),
  contradictedBy: anythingBut('mpg'),
};

const PACK_START = 0x000001ba;
const SEQUENCE_START = 0x000001b3;

function isPackHeader(head: Buffer): boolean {
  if (head.length < 12 || head.readUInt32BE(0) !== PACK_START) return false;
  const first = head.readUInt8(4);
  const isMpeg1 = (first & 0xf1) === 0x21; // '0010', three clock bits, marker bit
  const isMpeg2 = (first & 0xc4) === 0x44; // '01', three clock bits, marker bit
  return isMpeg1 || isMpeg2;
}

function isSequenceHeader(head: Buffer): boolean {
  if (head.length < 12 || head.readUInt32BE(0) !== SEQUENCE_START) return false;
  const sizes = head.readUIntBE(4, 3);
  const hasSize = sizes >> 12 !== 0 && (sizes & 0xfff) !== 0;
  const hasRate = (head.readUInt8(7) & 0x0f) !== 0; // ffmpeg writes reserved codes for odd rates; 0 is forbidden
  const hasMarker = (head.readUInt8(10) & 0x20) !== 0;
  return hasSize && hasRate && hasMarker;
}
