import type { FileType } from '../file-types/file-types.ts';
import { IsoBoxReader, type Track } from '../file-types/formats/iso-media.ts';

/** How a channel sends a file. */
export type MediaKind = 'image' | 'video' | 'audio' | 'document';

/** What the bytes of a file say about its delivery. */
export interface Media {
  readonly kind: MediaKind;
  /** The name of its type, such as `mp4`. */
  readonly format: string;
  /** The codecs of its tracks; null while the bytes that name them have not been seen. */
  readonly codecs: { readonly video: readonly string[]; readonly audio: readonly string[] } | null;
  /** Whether a picture has 8 bits a channel and no ink colours; null while its header has not been seen. */
  readonly hasUsualColours: boolean | null;
}

/** Follows the bytes of one file. Cheap: it looks at headers and steps over the rest. */
export interface MediaProbe {
  /** Takes the next bytes of the file, from the first on; keeps none of them. */
  update(chunk: Buffer): void;
  /** What is known so far. */
  media(): Media;
}

/** Kinds whose codec their type names. */
const CODEC_OF_TYPE: ReadonlyMap<string, string> = new Map([
  ['mp3', 'mp3'],
  ['aac', 'aac'],
  ['amr', 'amr'],
  ['wav', 'pcm'],
  ['aiff', 'pcm'],
]);

/** As what a channel sends files of this family. */
export function kindOf(family: FileType['family']): MediaKind {
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'document';
}

/** Makes a probe for a file of this type. */
export function createMediaProbe({ name: format, family }: Pick<FileType, 'name' | 'family'>): MediaProbe {
  const kind = kindOf(family);
  const reader = readerFor(format);
  return {
    update: (chunk) => reader?.update(chunk),
    media() {
      const codec = CODEC_OF_TYPE.get(format);
      return {
        kind,
        format,
        codecs: codec === undefined ? (reader?.codecs?.() ?? null) : { video: [], audio: [codec] },
        hasUsualColours: reader?.hasUsualColours?.() ?? null,
      };
    },
  };
}

interface HeaderReader {
  update(chunk: Buffer): void;
  codecs?(): Media['codecs'];
  hasUsualColours?(): boolean | null;
}

function readerFor(format: string): HeaderReader | null {
  switch (format) {
    case 'mp4':
    case '3gp':
    case 'm4a':
      return readTracks();
    case 'ogg':
      return readOgg();
    case 'jpg':
      return new JpegHeaderReader();
    case 'png':
      return readPng();
    default:
      return null;
  }
}

function readTracks(): HeaderReader {
  const boxes = new IsoBoxReader();
  return {
    update: (chunk) => boxes.update(chunk),
    codecs() {
      if (!boxes.isDone) return null;
      const named = (handler: string) =>
        boxes.tracks.filter((track) => track.handler === handler).map(codecOf);
      return { video: named('vide'), audio: named('soun') };
    },
  };
}

/** The names that people know, for the four characters of a sample entry (mp4ra.org). */
const CODECS: ReadonlyMap<string, string> = new Map([
  ['avc1', 'h264'],
  ['avc3', 'h264'],
  ['hvc1', 'hevc'],
  ['hev1', 'hevc'],
  ['dvh1', 'hevc'],
  ['dvhe', 'hevc'],
  ['mp4v', 'mpeg4'],
  ['s263', 'h263'],
  ['av01', 'av1'],
  ['vp09', 'vp9'],
  ['samr', 'amr'],
  ['sawb', 'amr-wb'],
  ['Opus', 'opus'],
  ['fLaC', 'flac'],
  ['ac-3', 'ac3'],
  ['ec-3', 'eac3'],
  ['.mp3', 'mp3'],
]);

/** Decoders of AAC among the object types of `mp4a`; 0x69 and 0x6B are MPEG audio. */
const AAC_TYPES: ReadonlySet<number | null> = new Set([0x40, 0x66, 0x67, 0x68]);

function codecOf({ codec, objectType }: Track): string {
  if (codec !== 'mp4a') return CODECS.get(codec) ?? codec;
  if (AAC_TYPES.has(objectType)) return 'aac';
  return objectType === 0x69 || objectType === 0x6b ? 'mp3' : 'mp4a';
}

const OGG_CODECS = [
  ['OpusHead', 'opus'],
  ['\x01vorbis', 'vorbis'],
  ['\x7fFLAC', 'flac'],
  ['Speex   ', 'speex'],
] as const;

/** The first page holds the header of the codec and no more. */
function readOgg(): HeaderReader {
  let start = Buffer.alloc(0);
  return {
    update(chunk) {
      if (start.length < 64) start = Buffer.concat([start, chunk.subarray(0, 64)]);
    },
    codecs() {
      const text = start.toString('latin1', 28, 64);
      const found = OGG_CODECS.find(([name]) => text.startsWith(name));
      return found ? { video: [], audio: [found[1]] } : null;
    },
  };
}

/** PNG, section 11.2.1: IHDR is first; its ninth byte is the bit depth. */
function readPng(): HeaderReader {
  let depth: number | null = null;
  let position = 0;
  return {
    update(chunk) {
      depth ??= chunk[24 - position] ?? null;
      position += chunk.length;
    },
    hasUsualColours: () => (depth === null ? null : depth <= 8),
  };
}

/** JPEG, T.81 B.2.2: steps over segments to the frame header, which has the bits and the number of colours. */
class JpegHeaderReader implements HeaderReader {
  #skip = 2; // SOI
  #pending = Buffer.alloc(0);
  #isUsual: boolean | null = null;
  #isDone = false;

  update(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isDone; ) {
      const skipped = Math.min(this.#skip, chunk.length - at);
      this.#skip -= skipped;
      at += skipped;
      const taken = chunk.subarray(at, at + FRAME_HEADER_BYTES - this.#pending.length);
      this.#pending = Buffer.concat([this.#pending, taken]);
      at += taken.length;
      this.#read();
    }
  }

  hasUsualColours(): boolean | null {
    return this.#isUsual;
  }

  #read(): void {
    const bytes = this.#pending;
    if (bytes.length < 4) return;
    const marker = bytes.readUInt8(1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (bytes[0] !== 0xff || marker === 0xda || marker === 0xd9) this.#isDone = true;
    else if (marker === 0xff) this.#pending = bytes.subarray(1);
    else if (isFrame && bytes.length === FRAME_HEADER_BYTES) {
      this.#isUsual = bytes[4] === 8 && (bytes[9] ?? 0) <= 3;
      this.#isDone = true;
    } else if (!isFrame) {
      const rest = 2 + bytes.readUInt16BE(2);
      this.#pending = bytes.subarray(Math.min(rest, bytes.length));
      this.#skip = Math.max(0, rest - bytes.length);
      if (this.#pending.length >= 4) this.#read();
    }
  }
}

/** Marker, length, precision, height, width, number of components. */
const FRAME_HEADER_BYTES = 10;
