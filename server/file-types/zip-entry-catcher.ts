import { BufferList } from '../http/buffers.ts';

const LOCAL_BYTES = 30;
/** Of one entry; a list of the content types of 10,000 parts is about half of it when packed. */
const MAX_ENTRY_BYTES = 128 * 1024;
/** An archive in the archive, stored as it is, has entries of the same name. */
const MAX_ENTRIES = 4;

/**
 * Keeps the entries of one name out of a ZIP that streams by: where they count, only the directory at the end
 * tells, and by then they are gone. Found by the bytes of the name, so there may be others among them.
 */
export class ZipEntryCatcher {
  readonly #name: Buffer;
  readonly #caught: { readonly offset: number; readonly kept: BufferList }[] = [];
  /** The bytes before the next chunk, enough for the beginning of an entry and its name but one byte. */
  #carry = Buffer.alloc(0);
  #position = 0;
  #searchedTo = 0;

  /** @param name As it stands in the archive. */
  constructor(name: string) {
    this.#name = Buffer.from(name);
  }

  update(chunk: Buffer): void {
    for (const { kept } of this.#caught) {
      const room = MAX_ENTRY_BYTES - kept.bytes;
      if (room > 0) kept.push(Buffer.from(chunk.subarray(0, room)));
    }
    if (this.#caught.length < MAX_ENTRIES) this.#search(chunk);
    this.#position += chunk.length;
  }

  /** Gives up the bytes from the local header at `offset` on; null when no entry of the name was seen there. */
  takeAt(offset: number): Buffer | null {
    const entry = this.#caught.find((caught) => caught.offset === offset);
    return entry === undefined ? null : Buffer.concat(entry.kept.take());
  }

  #search(chunk: Buffer): void {
    const seam = Buffer.concat([this.#carry, chunk.subarray(0, this.#name.length)]);
    if (seam.includes(this.#name) || chunk.includes(this.#name)) this.#catch(chunk);
    const carried = LOCAL_BYTES + this.#name.length - 1;
    const rest = chunk.length >= carried ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = Buffer.from(rest.subarray(Math.max(0, rest.length - carried)));
  }

  #catch(chunk: Buffer): void {
    const joint = Buffer.concat([this.#carry, chunk]);
    const base = this.#position - this.#carry.length;
    for (let from = 0; this.#caught.length < MAX_ENTRIES; ) {
      const at = joint.indexOf(this.#name, from);
      if (at === -1) return;
      from = at + 1;
      const offset = base + at - LOCAL_BYTES;
      if (offset < this.#searchedTo || at < LOCAL_BYTES) continue;
      this.#searchedTo = offset + 1;
      const start = at - LOCAL_BYTES;
      const kept = new BufferList();
      kept.push(Buffer.from(joint.subarray(start, start + MAX_ENTRY_BYTES)));
      this.#caught.push({ offset, kept });
    }
  }
}
