import { FileStream } from '../../server/uploads/file-stream.ts';

/** What a {@link PartStream} tells the form reader. */
export interface PartEvents {
  /** More content may be pushed. */
  onWanted(): void;
  /** The next part may begin. */
  onTaken(): void;
}

/** The content of one file part. It is pushed into by the form reader, which is told when more is wanted. */
export class PartStream extends FileStream {
  /** Where the content begins in the body. */
  readonly offset: number;
  /** Decoded, but not cleaned yet. */
  readonly filename: string;
  readonly #events: PartEvents;

  constructor(offset: number, filename: string, events: PartEvents) {
    super(() => events.onWanted());
    this.offset = offset;
    this.filename = filename;
    this.#events = events;
  }

  /** Tells that whoever read the content is done with it; the end of the stream comes earlier. */
  markTaken(): void {
    this.#events.onTaken();
  }
}
