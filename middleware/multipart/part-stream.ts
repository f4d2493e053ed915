import { Readable } from 'node:stream';

/** The content of one file part. It is pushed into by the form reader, which is told when more is wanted. */
export class PartStream extends Readable {
  /** Where the content begins in the body. */
  readonly offset: number;
  readonly #onWanted: () => void;

  constructor(offset: number, onWanted: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.offset = offset;
    this.#onWanted = onWanted;
  }

  override _read(): void {
    this.#onWanted();
  }
}
