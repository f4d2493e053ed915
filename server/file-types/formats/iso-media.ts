/** The brands of a file type box (ISO/IEC 14496-12 section 4.3; mp4ra.org lists them). */
export interface Brands {
  readonly major: string;
  readonly compatible: readonly string[];
}

/** Real boxes are 20 to 60 bytes long. */
const MAX_FTYP_BYTES = 4096;

export function readBrands(bytes: Buffer): Brands | null {
  if (bytes.length < 16 || bytes.toString('latin1', 4, 8) !== 'ftyp') return null;
  const size = bytes.readUInt32BE(0);
  if (size < 16 || size > MAX_FTYP_BYTES || size % 4 !== 0) return null;
  const compatible: string[] = [];
  for (let at = 16; at + 4 <= Math.min(size, bytes.length); at += 4) {
    compatible.push(bytes.toString('latin1', at, at + 4));
  }
  // Some writers fill up with zeros instead of spaces.
  return { major: bytes.toString('latin1', 8, 12).replaceAll('\0', ' '), compatible };
}

const MP4_BRANDS: ReadonlySet<string> = new Set([
  ...['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9', 'isoa', 'isob', 'isoc'],
  ...['mp41', 'mp42', 'mp71', 'avc1', 'hvc1', 'av01', 'mmp4', 'MSNV', 'M4V ', 'M4VH', 'M4VP', 'F4V '],
  ...['dash', 'msdh', 'msix', 'cmfc', 'cmff', 'cmfs', 'cmf2', 'piff', 'NDSC', 'NDSM', 'NDSH', 'NDSP'],
]);

/** Separate kinds in the same container; as major brand none of them is an MP4. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/^qt {2}$/, 'video/quicktime'],
  [/^(avif|avis|avio)$/, 'image/avif'],
  [/^(hei[cxms]|hev[cxms])$/, 'image/heic'],
  [/^(mif[12]|msf1|miaf|MiHE|MiHB)$/, 'image/heif'],
  [/^(M4A|M4B|M4P|F4A|F4B) $/, 'audio/mp4'],
  [/^F4P $/, 'video/mp4; protected'],
  [/^crx $/, 'image/x-canon-cr3'],
  [/^(jp2|jpm|jpx) $|^mjp2$/, 'image/jp2'],
];

export function isMp4Brand(major: string): boolean {
  return MP4_BRANDS.has(major);
}

/** The kind of a file with these brands. The major brand decides; one that is not known here needs known ones beside it. */
export function kindOfBrands({ major, compatible }: Brands): string | null {
  if (isMp4Brand(major)) return 'video/mp4';
  if (!/^[ -~]{4}$/.test(major)) return null;
  const other = OTHER_KINDS.find(([pattern]) => pattern.test(major));
  if (other) return other[1];
  // What ffmpeg calls 3GP also names isom; phones that put a 3GP brand on an MP4 name mp41 or mp42.
  if (/^3g/.test(major)) {
    return compatible.some((brand) => brand === 'mp41' || brand === 'mp42') ? 'video/mp4' : 'video/3gpp';
  }
  const otherCompatible = OTHER_KINDS.find(([pattern]) => compatible.some((brand) => pattern.test(brand)));
  if (otherCompatible) return otherCompatible[1];
  return compatible.some((brand) => MP4_BRANDS.has(brand)) ? 'video/mp4' : null;
}

/** A track of an ISO media file, as its boxes describe it. */
export interface Track {
  /** `vide`, `soun` or another handler. */
  handler: string;
  /** The four characters of its first sample entry, such as `avc1` or `mp4a`; '' where it has none. */
  codec: string;
  /** For `mp4a`, the object type of its decoder (mp4ra.org): 0x40 for AAC; null if it is not given. */
  objectType: number | null;
}

/** Boxes to go into, and the box in which each lies (ISO/IEC 14496-12). */
const CONTAINERS: ReadonlyMap<string, string> = new Map([
  ['moov', ''],
  ['trak', 'moov'],
  ['mdia', 'trak'],
  ['minf', 'mdia'],
  ['stbl', 'minf'],
]);
/** Boxes to read whole. */
const LEAVES: ReadonlyMap<string, string> = new Map([
  ['hdlr', 'mdia'],
  ['stsd', 'stbl'],
]);
const MAX_LEAF_BYTES = 64 * 1024;
const MAX_TRACKS = 64;

interface OpenBox {
  readonly type: string;
  readonly end: number;
}

/**
 * Reads the tracks out of the `moov` box of an MP4, M4A, 3GP or MOV that streams by, wherever in the file it lies. Keeps
 * one small box at a time and steps over the media itself.
 */
export class IsoBoxReader {
  readonly tracks: Track[] = [];
  /** Whether `moov` has passed to its end. */
  isDone = false;
  /** Whether the boxes are not nested as they should be. */
  isBroken = false;
  #position = 0;
  #skip = 0;
  #open: OpenBox[] = [];
  /** The bytes of a box header, or of a leaf, that have come so far. */
  #pending = Buffer.alloc(0);
  #leaf: { readonly type: string; readonly bytes: number } | null = null;

  update(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.isDone && !this.isBroken; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at);
        this.#skip -= skipped;
        at += this.#advance(skipped);
        continue;
      }
      const wanted = this.#leaf?.bytes ?? this.#headerBytes();
      const taken = chunk.subarray(at, at + wanted - this.#pending.length);
      this.#pending = Buffer.concat([this.#pending, taken]);
      at += this.#advance(taken.length);
      if (this.#pending.length < wanted) continue;
      if (this.#leaf) this.#readLeaf(this.#leaf.type);
      else if (this.#pending.length === this.#headerBytes()) this.#readHeader();
    }
  }

  /** Counts bytes, and leaves the boxes that end there. */
  #advance(bytes: number): number {
    this.#position += bytes;
    if (this.#skip === 0 && this.#pending.length === 0) this.#close();
    return bytes;
  }

  #close(): void {
    for (let box = this.#open.at(-1); box && this.#position >= box.end; box = this.#open.at(-1)) {
      this.#open.pop();
      if (box.type === 'moov') this.isDone = true;
    }
  }

  /** 16 where the size takes 64 bits. */
  #headerBytes(): number {
    return this.#pending.length >= 8 && this.#pending.readUInt32BE(0) === 1 ? 16 : 8;
  }

  #readHeader(): void {
    const header = this.#pending;
    this.#pending = Buffer.alloc(0);
    const size = header.length === 16 ? Number(header.readBigUInt64BE(8)) : header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    const parent = this.#open.at(-1);
    const bodyBytes = size === 0 ? Number.POSITIVE_INFINITY : size - header.length; // 0: to the end of the file
    const end = this.#position + bodyBytes;
    if (bodyBytes < 0 || (parent !== undefined && end > parent.end)) {
      this.isBroken = true;
    } else if (CONTAINERS.get(type) === (parent?.type ?? '')) {
      if (type === 'trak') this.#addTrack();
      this.#open.push({ type, end });
      this.#close();
    } else if (LEAVES.get(type) === parent?.type && bodyBytes > 0 && bodyBytes <= MAX_LEAF_BYTES) {
      this.#leaf = { type, bytes: bodyBytes };
    } else {
      this.#skip = bodyBytes;
      this.#close();
    }
  }

  #addTrack(): void {
    if (this.tracks.length >= MAX_TRACKS) this.isBroken = true;
    else this.tracks.push({ handler: '', codec: '', objectType: null });
  }

  #readLeaf(type: string): void {
    const body = this.#pending;
    this.#pending = Buffer.alloc(0);
    this.#leaf = null;
    const track = this.tracks.at(-1);
    if (track && type === 'hdlr') track.handler = body.toString('latin1', 8, 12);
    if (track && type === 'stsd') {
      track.codec = body.toString('latin1', 12, 16);
      track.objectType = track.codec === 'mp4a' ? objectTypeIn(body) : null;
    }
    this.#close();
  }
}

/** ISO/IEC 14496-1 section 7.2.6: an `esds` holds descriptors; that of the decoder has tag 4 and begins with the type. */
function objectTypeIn(entry: Buffer): number | null {
  const esds = entry.indexOf('esds', 0, 'latin1');
  if (esds === -1) return null;
  let at = esds + 8; // the name, a version and flags
  for (let depth = 0; depth < 4; depth += 1) {
    const tag = entry[at];
    at += 1;
    while (((entry[at] ?? 0) & 0x80) !== 0) at += 1; // a length of up to four bytes
    at += 1;
    if (tag === 4) return entry[at] ?? null;
    if (tag !== 3) return null;
    const flags = entry[at + 2] ?? 0;
    at += 3 + ((flags & 0x80) !== 0 ? 2 : 0) + ((flags & 0x20) !== 0 ? 2 : 0);
    if ((flags & 0x40) !== 0) return null; // a URL, which no file has
  }
  return null;
}
