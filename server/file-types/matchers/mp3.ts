import { isAdtsFrame, readAudioFrame } from '../mpeg-audio-frame.ts';
import {
  anythingBut,
  differs,
  FITS,
  type Finding,
  type Matcher,
  type StructureInspector,
} from './matcher.ts';

/**
 * MP3: MPEG audio layer III (ISO/IEC 11172-3, 13818-3; version 2.5 is an extension in wide use), after any
 * number of ID3v2 tags (id3.org, ID3v2.4.0 section 3) and zero padding. Two frames in a row have to agree,
 * unless the file ends with the first or an ID3v1, APE or Lyrics3 tag follows it; behind an ID3v2 tag, whose
 * size some writers get wrong, they are looked for within a window. A tag longer than the head (cover art)
 * is followed to its end in the body.
 */
export const mp3: Matcher = {
  judgeHead(head, complete) {
    const search = new FrameSearch();
    search.update(head);
    const finding = complete ? search.finish() : search.finding;
    if (!finding) return search.isPromising ? { fits: true, inspector: new FrameSearch() } : differs();
    return finding.fits ? FITS : finding;
  },
  contradictedBy: anythingBut('mp3'),
};

/** Two of the longest frames (1,441 bytes, layer III at 320 kbit/s and 32 kHz) and some. */
const WINDOW_BYTES = 4096;
const ID3_HEADER_BYTES = 10;

/** Skips tags and padding, then judges the first frames; keeps no more than a window. */
class FrameSearch implements StructureInspector {
  finding: Finding | null = null;
  #window = Buffer.alloc(0);
  #bytesToSkip = 0;
  #hasTag = false;

  /** Whether something of the kind has been seen: a tag, or a first frame whose successor is not here yet. */
  get isPromising(): boolean {
    return this.#hasTag || judgeFrames(this.#window, false, true)?.fits === true;
  }

  update(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.finding === null) {
      const skipped = Math.min(this.#bytesToSkip, rest.length);
      this.#bytesToSkip -= skipped;
      const taken = rest.subarray(skipped, skipped + WINDOW_BYTES - this.#window.length);
      rest = rest.subarray(skipped + taken.length);
      this.#window = Buffer.concat([this.#window, taken]);
      this.#advance();
      const isFull = this.#window.length === WINDOW_BYTES;
      if (isFull) this.finding = judgeFrames(this.#window, this.#hasTag, false) ?? differs();
    }
  }

  finish(): Finding {
    this.finding ??= judgeFrames(this.#window, this.#hasTag, true) ?? differs();
    return this.finding;
  }

  /** Drops what stands before the frames from the window: padding at once, a tag when its header is whole. */
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
}

/** Section 3.1: the size is a 28-bit "synchsafe" number, without the header and the optional footer. */
function tagLength(tag: Buffer): number {
  let size = 0;
  for (const byte of tag.subarray(6, 10)) size = size * 128 + (byte & 0x7f);
  const hasFooter = ((tag[5] ?? 0) & 0x10) !== 0;
  return ID3_HEADER_BYTES + size + (hasFooter ? ID3_HEADER_BYTES : 0);
}

/** Null when there is no MPEG audio to be seen. */
function judgeFrames(window: Buffer, maySearch: boolean, isAll: boolean): Finding | null {
  if (isAdtsFrame(window, 0)) return differs('audio/aac');
  const first = readAudioFrame(window, 0);
  if (first && first.layer !== 3) return differs(`audio/mp${first.layer}`);
  const last = maySearch ? window.length - 4 : 0;
  for (let at = 0; at <= last; at += 1) {
    if (isFollowedFrame(window, at, isAll && at === 0)) return FITS;
  }
  return null;
}

function isFollowedFrame(window: Buffer, at: number, mayBeLast: boolean): boolean {
  const frame = readAudioFrame(window, at);
  if (frame?.layer !== 3) return false;
  const end = at + frame.lengthBytes;
  if (end + 4 > window.length) return mayBeLast;
  const next = readAudioFrame(window, end);
  if (next) return next.version === frame.version && next.layer === 3 && next.sampleRate === frame.sampleRate;
  return at === 0 && /^(?:TAG|APETAGEX|LYRICSBEGIN|ID3)/.test(window.toString('latin1', end, end + 11));
}
