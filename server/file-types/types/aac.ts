import { anythingBut, defineFileType, MATCH, mismatch } from '../file-type.ts';

const FRAMES_TO_AGREE = 3;
const HEADER_BYTES = 7;

/** AAC in ADTS frames (ISO/IEC 13818-7 section 6.2): the first ones follow each other and agree. */
export const aac = defineFileType({
  name: 'aac',
  extensions: ['aac'],
  mimeTypes: ['audio/aac', 'audio/x-aac', 'audio/aacp', 'audio/x-hx-aac-adts', 'audio/vnd.dlna.adts'],
  family: 'audio',
  isDefault: false,
  matcher: {
    match: (bytes, isWhole) => (beginsWithFrames(bytes, isWhole) ? MATCH : mismatch()),
    contradictedBy: anythingBut('aac'),
  },
  label: { en: 'an AAC recording', es: 'una grabación AAC' },
  advice: 'save',
  saveAs: ['mp3', 'wav'],
});

function beginsWithFrames(bytes: Buffer, isWhole: boolean): boolean {
  let at = 0;
  let settings: number | null = null;
  for (let count = 0; count < FRAMES_TO_AGREE; count += 1) {
    // A short file may end with a frame; of a long one the first frames fit into the leading bytes.
    if (at === bytes.length && isWhole) return count > 0;
    if (at + HEADER_BYTES > bytes.length) return false;
    const frame = readFrame(bytes, at);
    if (frame === null || (settings !== null && frame.settings !== settings)) return false;
    settings = frame.settings;
    at += frame.lengthBytes;
  }
  return true;
}

/** One header; `settings` is what stays the same from frame to frame: version, profile, sample rate, channels. */
function readFrame(bytes: Buffer, at: number): { settings: number; lengthBytes: number } | null {
  const isSync = (bytes.readUInt16BE(at) & 0xfff6) === 0xfff0;
  const rateIndex = (bytes.readUInt8(at + 2) >> 2) & 15;
  const lengthBytes = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff;
  if (!isSync || rateIndex > 12 || lengthBytes < HEADER_BYTES) return null;
  return { settings: bytes.readUInt32BE(at) & 0x0008fdc0, lengthBytes };
}
