/** Reads the body of one request, of a known length or chunked (RFC 9112, section 7.1), and counts its bytes. */
export class BodyReader {
  bytes = 0;
  /** What is still to come of the body or of the current chunk; -1 between chunks. */
  #left: number;
  readonly #isChunked: boolean;
  #sizeLine = '';
  #sawLast = false;

  /** @param head Of the request: a request that is neither chunked nor says a length has no body. */
  constructor(head: string) {
    this.#isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#left = this.#isChunked ? -1 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  }

  /** Whether the body is complete with `data`. Content is added to `into`, if given. */
  take(data: Buffer, into: Buffer[] | null): boolean {
    if (this.#left === 0) return true;
    let at = 0;
    while (at < data.length) {
      if (this.#left === -1) {
        const lineEnd = data.indexOf(10, at);
        this.#sizeLine += data.toString('latin1', at, lineEnd === -1 ? data.length : lineEnd + 1);
        if (lineEnd === -1) return false;
        at = lineEnd + 1;
        if (this.#isLastLine()) return true;
      } else {
        const end = Math.min(data.length, at + this.#left);
        into?.push(data.subarray(at, end));
        this.bytes += end - at;
        this.#left -= end - at;
        at = end;
        if (this.#left === 0 && !this.#isChunked) return true;
        if (this.#left === 0) this.#left = -1;
      }
    }
    return false;
  }

  /** Takes the line that is held: the end of a chunk and the size of the next, in either order of arrival. */
  #isLastLine(): boolean {
    const line = this.#sizeLine.trim();
    if (line === '') {
      const isEndOfBody = this.#sawLast;
      this.#sizeLine = '';
      return isEndOfBody;
    }
    this.#sizeLine = '';
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`not a chunk size: ${line}`);
    if (size === 0) this.#sawLast = true;
    else this.#left = size;
    return false;
  }
}
