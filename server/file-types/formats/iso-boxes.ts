/** A track of an ISO media file, as its boxes describe it. */
export interface Track {
  /** `vide`, `soun` or another handler. */
  handler: string;
  /** The four characters of its first sample entry, such as `avc1` or `mp4a`; '' where it has none. */
  codec: string;
  /** For `mp4a`, the object type of its decoder (mp4ra.org): 0x40 for AAC; null where it is not given. */
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
