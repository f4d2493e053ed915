/** The last `limitBytes` of a stream, copied into a ring that grows only as far as the stream is long. */
export class TailWindow {
  readonly #limitBytes: number;
  #ring = Buffer.alloc(0);
  #kept = 0;
  #end = 0;
  #total = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get totalBytes(): number {
    return this.#total;
  }

  update(chunk: Buffer): void {
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
