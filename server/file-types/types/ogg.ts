import { defineFileType, MATCH, type Matcher, mismatch } from '../file-type.ts';

const PAGE_HEADER_BYTES = 27;
const FIRST_OF_STREAM = 0x02;
/** How the first packet of a stream begins (RFC 5334 section 10 and the codecs' own pages). */
const SOUND = ['\x01vorbis', 'OpusHead', '\x7fFLAC', 'Speex   '];
const FILM = ['\x80theora', 'BBCD\0', '\x80kate', '\x01video'];

/** Ogg (RFC 3533) with sound in it: the first pages each begin a stream, and one of them is of sound and none of video. */
const oggSound: Matcher = {
  match(bytes) {
    let hasSound = false;
    let at = 0;
    for (; isPage(bytes, at); at = nextPage(bytes, at)) {
      if (((bytes[at + 5] ?? 0) & FIRST_OF_STREAM) === 0) break;
      const packet = packetAt(bytes, at);
      if (FILM.some((start) => packet.startsWith(start))) return mismatch('video/ogg');
      hasSound ||= SOUND.some((start) => packet.startsWith(start));
    }
    return hasSound ? MATCH : mismatch(at > 0 ? 'application/ogg' : null);
  },
  contradictedBy: null,
};

export const ogg = defineFileType({
  name: 'ogg',
  extensions: ['ogg'],
  mimeTypes: [
    'audio/ogg',
    'application/ogg',
    'audio/x-ogg',
    'audio/vorbis',
    'audio/opus',
    'application/x-ogg',
  ],
  family: 'audio',
  isDefault: false,
  matcher: oggSound,
  label: {
    en: 'an OGG recording (as in WhatsApp voice messages)',
    es: 'una grabación OGG (como los audios de WhatsApp)',
  },
  advice: 'save',
  saveAs: ['mp3', 'wav'],
});

function isPage(bytes: Buffer, at: number): boolean {
  const isHeader =
    at + PAGE_HEADER_BYTES <= bytes.length && bytes.toString('latin1', at, at + 5) === 'OggS\0';
  return isHeader && at + PAGE_HEADER_BYTES + (bytes[at + 26] ?? 0) <= bytes.length;
}

function packetAt(bytes: Buffer, at: number): string {
  const start = at + PAGE_HEADER_BYTES + (bytes[at + 26] ?? 0);
  return bytes.toString('latin1', start, start + 8);
}

function nextPage(bytes: Buffer, at: number): number {
  const segments = bytes[at + 26] ?? 0;
  const lengths = bytes.subarray(at + PAGE_HEADER_BYTES, at + PAGE_HEADER_BYTES + segments);
  return at + PAGE_HEADER_BYTES + segments + lengths.reduce((sum, length) => sum + length, 0);
}
