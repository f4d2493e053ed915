import { anythingBut, defineFileType, MATCH, mismatch } from '../file-type.ts';

/**
 * MPEG-1 and MPEG-2 video: a program stream's pack header (ISO/IEC 11172-1 section 2.4.3.2 and
 * 13818-1 section 2.5.3.3) or an elementary stream's sequence header (11172-2 and 13818-2 section 6.2.2.1).
 * Transport streams are another kind.
 */
export const mpeg = defineFileType({
  name: 'mpeg',
  extensions: ['mpeg', 'mpg'],
  mimeTypes: ['video/mpeg', 'video/mpg', 'video/x-mpeg', 'video/x-mpg', 'video/x-mpeg2'],
  family: 'video',
  isDefault: true,
  matcher: {
    match: (bytes) => (isPackHeader(bytes) || isSequenceHeader(bytes) ? MATCH : mismatch()),
    contradictedBy: anythingBut('mpg'),
  },
  label: { en: 'an MPEG video', es: 'un video MPEG' },
});

const PACK_START = 0x000001ba;
const SEQUENCE_START = 0x000001b3;

function isPackHeader(bytes: Buffer): boolean {
  if (bytes.length < 12 || bytes.readUInt32BE(0) !== PACK_START) return false;
  const first = bytes.readUInt8(4);
  const isMpeg1 = (first & 0xf1) === 0x21; // '0010', three clock bits, marker bit
  const isMpeg2 = (first & 0xc4) === 0x44; // '01', three clock bits, marker bit
  return isMpeg1 || isMpeg2;
}

function isSequenceHeader(bytes: Buffer): boolean {
  if (bytes.length < 12 || bytes.readUInt32BE(0) !== SEQUENCE_START) return false;
  const sizes = bytes.readUIntBE(4, 3);
  const hasSize = sizes >> 12 !== 0 && (sizes & 0xfff) !== 0;
  const hasRate = (bytes.readUInt8(7) & 0x0f) !== 0; // ffmpeg writes reserved codes for odd rates; 0 is forbidden
  const hasMarker = (bytes.readUInt8(10) & 0x20) !== 0;
  return hasSize && hasRate && hasMarker;
}
