/** NUL, LF, CR: archives padded to a block, and line ends that PHP programs write after them. */
export const PADDING: ReadonlySet<number | undefined> = new Set([0x00, 0x0a, 0x0d]);

/** As much padding at the end as is kept. The last bytes of an archive may look like padding too. */
export const MAX_PADDING_BYTES = 64 * 1024;

/**
 * The last `limitBytes` of an archive, copied into a ring that grows only as far as the archive is long. Padding at the
 * end beyond `MAX_PADDING_BYTES` is left out.
 */
export class TailWindow {
  readonly #limitBytes: number;
  /** Padding at the end so far, and how much of it was left out. */
  #paddingBytes = 0;
  #omittedBytes = 0;
  #ring = Buffer.alloc(0);
  #kept = 0;
  #end = 0;
  #total = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Length of the archive up to the end of the window. */
  get totalBytes(): number {
    return this.#total;
  }

  update(chunk: Buffer): void {
    let end = chunk.length;
    while (end > 0 && PADDING.has(chunk[end - 1])) end -= 1;
    if (end > 0) this.#endPadding();
    const padding = chunk.length - end;
    const kept = Math.min(padding, Math.max(0, MAX_PADDING_BYTES - this.#paddingBytes));
    this.#append(chunk.subarray(0, end + kept));
    this.#paddingBytes += padding;
    this.#omittedBytes += padding - kept;
  }

  /** Something follows the padding: what was left out is part of the archive. Nothing reads it, so zeros stand for it. */
  #endPadding(): void {
    const zeros = Math.min(this.#omittedBytes, this.#limitBytes);
    this.#total += this.#omittedBytes - zeros;
    if (zeros > 0) this.#append(Buffer.alloc(zeros));
    this.#omittedBytes = 0;
    this.#paddingBytes = 0;
  }

  #append(chunk: Buffer): void {
    this.#total += chunk.length;
    const last = chunk.subarray(Math.max(0, chunk.length - this.#limitBytes));
    this.#reserve(Math.min(this.#limitBytes, this.#kept + last.length));
    const room = this.#ring.length - this.#end;
    last.copy(this.#ring, this.#end);
    if (last.length > room) last.copy(this.#ring, 0, room);
    this.#end = this.#ring.length === 0 ? 0 : (this.#end + last.length) % this.#ring.length;
    this.#kept = Math.min(this.#ring.length, this.#kept + last.length);
  }

  bytes(): Buffer {
    if (this.#kept < this.#ring.length) return this.#ring.subarray(0, this.#kept); // not yet wrapped
    return Buffer.concat([this.#ring.subarray(this.#end), this.#ring.subarray(0, this.#end)]);
  }

  /** Grows by doubling; a ring that has wrapped is at its limit and never grows. */
  #reserve(bytes: number): void {
    if (bytes <= this.#ring.length) return;
    const size = Math.min(this.#limitBytes, Math.max(bytes, 2 * this.#ring.length, 4096));
    const grown = Buffer.alloc(size);
    this.bytes().copy(grown);
    this.#ring = grown;
    this.#end = this.#kept % size;
  }
}
