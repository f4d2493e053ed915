import {
  anythingBut,
  defineFileType,
  MATCH,
  type Match,
  mismatch,
  type StructureCheck,
} from '../file-type.ts';

/**
 * MP3: MPEG audio layer III (ISO/IEC 11172-3, 13818-3; version 2.5 is an extension in wide use), after any
 * number of ID3v2 tags (id3.org, ID3v2.4.0 section 3) and zero padding. Two frames in a row have to agree,
 * unless the file ends with the first or an ID3v1, APE or Lyrics3 tag follows it; behind an ID3v2 tag, whose
 * size some writers get wrong, they are looked for within a window. Without a tag, behind the rest of a frame that a
 * recording was cut in, four have to agree. A tag longer than the leading bytes (cover art) is followed to its end in the body.
 */
export const mp3 = defineFileType({
  name: 'mp3',
  extensions: ['mp3'],
  mimeTypes: [
    'audio/mpeg',
    'audio/mp3',
    'audio/mpeg3',
    'audio/mpg',
    'audio/x-mp3',
    'audio/x-mpeg',
    'audio/x-mpeg-3',
    'audio/x-mpegaudio',
  ],
  family: 'audio',
  isDefault: true,
  matcher: {
    match(bytes, isWhole) {
      const search = new FrameSearch();
      search.update(bytes);
      const match = isWhole ? search.finish() : search.match;
      if (!match) return search.isPromising ? { matches: true, structure: new FrameSearch() } : mismatch();
      return match.matches ? MATCH : match;
    },
    contradictedBy: anythingBut('mp3'),
  },
  label: { en: 'an MP3', es: 'un MP3' },
});

/** How far into a file frames are looked for. */
const MAX_JUNK_BYTES = 4096;
const MAX_FRAME_BYTES = 1441; // layer III at 320 kbit/s and 32 kHz
const FRAMES_BEHIND_JUNK = 4;
const WINDOW_BYTES = MAX_JUNK_BYTES + FRAMES_BEHIND_JUNK * MAX_FRAME_BYTES;
const ID3_HEADER_BYTES = 10;

/** Skips tags and padding, then judges the first frames; keeps no more than a window. */
class FrameSearch implements StructureCheck {
  match: Match | null = null;
  #window = Buffer.alloc(0);
  #bytesToSkip = 0;
  #hasTag = false;

  /** Whether something of the kind has been seen: a tag, or frames whose successors are not here yet. */
  get isPromising(): boolean {
    return this.#hasTag || findFrames(this.#window, FRAMES_BEHIND_JUNK, 'may go on');
  }

  get #windowBytes(): number {
    return this.#hasTag ? MAX_JUNK_BYTES : WINDOW_BYTES;
  }

  update(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.match === null) {
      const skipped = Math.min(this.#bytesToSkip, rest.length);
      this.#bytesToSkip -= skipped;
      const taken = rest.subarray(skipped, skipped + Math.max(0, this.#windowBytes - this.#window.length));
      rest = rest.subarray(skipped + taken.length);
      this.#window = Buffer.concat([this.#window, taken]);
      this.#advance();
      this.match = checkStart(this.#window);
      const isFull = this.#window.length >= this.#windowBytes;
      if (isFull) this.match ??= this.#checkWindow();
    }
  }

  finish(): Match {
    this.match ??= checkStart(this.#window, 'ends here') ?? this.#checkWindow();
    return this.match;
  }

  /** Drops what precedes the frames from the window: padding at once, a tag when its header is whole. */
  #advance(): void {
    for (;;) {
      let zeros = 0;
      while (this.#window[zeros] === 0) zeros += 1;
      this.#window = this.#window.subarray(zeros);
      const isTag = this.#window.toString('latin1', 0, 3) === 'ID3';
      if (!isTag || this.#window.length < ID3_HEADER_BYTES) return;
      this.#hasTag = true;
      const length = tagLength(this.#window);
      this.#bytesToSkip = Math.max(0, length - this.#window.length);
      this.#window = this.#window.subarray(length);
    }
  }

  #checkWindow(): Match {
    return findFrames(this.#window, this.#hasTag ? 2 : FRAMES_BEHIND_JUNK, 'in the window')
      ? MATCH
      : mismatch();
  }
}

/** Section 3.1: the size is a 28-bit "synchsafe" number, without the header and the optional footer. */
function tagLength(tag: Buffer): number {
  let size = 0;
  for (const byte of tag.subarray(6, 10)) size = size * 128 + (byte & 0x7f);
  const hasFooter = ((tag[5] ?? 0) & 0x10) !== 0;
  return ID3_HEADER_BYTES + size + (hasFooter ? ID3_HEADER_BYTES : 0);
}

/** By what stands at the beginning; null when that is not settled or no MPEG audio. */
function checkStart(window: Buffer, extent: 'ends here' | 'may go on' = 'may go on'): Match | null {
  if (isAdtsFrame(window, 0)) return mismatch('audio/aac');
  const first = readAudioFrame(window, 0);
  if (!first) return null;
  if (first.layer !== 3) return mismatch(`audio/mp${first.layer}`);
  const end = first.lengthBytes;
  if (end + 4 > window.length) return extent === 'ends here' ? MATCH : null;
  const next = readAudioFrame(window, end);
  const isFollowed = next
    ? agree(first, next)
    : /^(?:TAG|APETAGEX|LYRICSBEGIN|ID3)/.test(window.toString('latin1', end, end + 11));
  return isFollowed ? MATCH : null;
}

/** Whether so many frames follow each other somewhere; those after the window may be taken for granted. */
function findFrames(window: Buffer, count: number, extent: 'in the window' | 'may go on'): boolean {
  for (let at = 0; at <= MAX_JUNK_BYTES; at += 1) {
    at = window.indexOf(0xff, at);
    if (at === -1 || at > MAX_JUNK_BYTES) return false;
    if (hasFrames(window, at, count, extent === 'may go on')) return true;
  }
  return false;
}

function hasFrames(window: Buffer, start: number, count: number, mayGoOn: boolean): boolean {
  const first = readAudioFrame(window, start);
  if (first?.layer !== 3) return false;
  let at = start;
  for (let left = count; left > 0; left -= 1) {
    if (at + 4 > window.length) return mayGoOn;
    const frame = readAudioFrame(window, at);
    if (!frame || !agree(first, frame)) return false;
    at += frame.lengthBytes;
  }
  return true;
}

function agree(first: AudioFrame, next: AudioFrame): boolean {
  return next.version === first.version && next.layer === 3 && next.sampleRate === first.sampleRate;
}

/** One frame header of MPEG audio: ISO/IEC 11172-3 section 2.4.2.3 and 13818-3 (low sampling rates). */
export interface AudioFrame {
  readonly version: 1 | 2 | 2.5;
  readonly layer: 1 | 2 | 3;
  readonly sampleRate: number;
  readonly lengthBytes: number;
}

const BITRATES_KBPS: Readonly<Record<string, readonly number[]>> = {
  '1/1': [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  '1/2': [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  '1/3': [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  '2/1': [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  '2/2': [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES_HZ = [44100, 48000, 32000];
const VERSIONS = [2.5, null, 2, 1] as const;
const LAYERS = [null, 3, 2, 1] as const;

/** Null for anything but a header, and for free format (bitrate index 0), whose length no header tells. */
function readAudioFrame(bytes: Buffer, at: number): AudioFrame | null {
  if (at + 4 > bytes.length) return null;
  const header = bytes.readUInt32BE(at);
  const version = VERSIONS[(header >>> 19) & 3];
  const layer = LAYERS[(header >>> 17) & 3];
  if (header >>> 21 !== 0x7ff || !version || !layer) return null;
  const row = version === 1 ? `1/${layer}` : layer === 1 ? '2/1' : '2/2';
  const bitrate = BITRATES_KBPS[row]?.[((header >>> 12) & 15) - 1];
  const baseRate = SAMPLE_RATES_HZ[(header >>> 10) & 3];
  if (!bitrate || !baseRate) return null;
  const sampleRate = version === 1 ? baseRate : version === 2 ? baseRate / 2 : baseRate / 4;
  const padding = (header >>> 9) & 1;
  const samples = layer === 1 ? 384 : layer === 3 && version !== 1 ? 576 : 1152;
  const lengthBytes =
    layer === 1
      ? (Math.floor((12 * bitrate * 1000) / sampleRate) + padding) * 4
      : Math.floor((samples / 8) * ((bitrate * 1000) / sampleRate)) + padding;
  return { version, layer, sampleRate, lengthBytes };
}

/** AAC in ADTS (ISO/IEC 13818-7 section 6.2) has the same sync word and the layer bits at zero. */
function isAdtsFrame(bytes: Buffer, at: number): boolean {
  return at + 2 <= bytes.length && (bytes.readUInt16BE(at) & 0xfff6) === 0xfff0;
}
