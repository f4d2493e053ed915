/**
 * The end of one piece of work, for those who have to stop with it. Does what an `AbortSignal` does, without
 * making an event, an exception and a stack for every request that ends well.
 */
export class Ending {
  #isOver = false;
  #listeners: (() => void)[] = [];
  #controller: AbortController | null = null;

  /** Whether the end has come. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the work, once: calls every listener, in the order in which they came. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
    this.#controller?.abort();
  }

  /** Calls `listener` at the end, at once where it has come; call what is returned to have it forgotten. */
  onEnd(listener: () => void): () => void {
    if (this.#isOver) {
      listener();
      return () => {};
    }
    this.#listeners.push(listener);
    return () => {
      const at = this.#listeners.indexOf(listener);
      if (at !== -1) this.#listeners.splice(at, 1);
    };
  }

  /** The same as a signal, for who takes nothing else. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isOver) this.#controller.abort();
    return this.#controller.signal;
  }

  /** @throws DOMException `AbortError`, as a signal would. */
  throwIfOver(): void {
    if (this.#isOver) this.signal.throwIfAborted();
  }
}
