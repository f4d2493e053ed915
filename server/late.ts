type Handler<Args extends unknown[]> = (...args: Args) => unknown;

/** A handler that may be put to its place before it is there. */
export interface Late<Args extends unknown[]> {
  /** What it is called with before it is there waits for it. */
  readonly handler: Handler<Args>;
  /** Resolves when it is there; whoever needs it first has it made. Rejects with what `make` threw. */
  load(): Promise<void>;
}

/** Puts off `make`, and all that it imports, until the handler is loaded or called. */
export function createLate<Args extends unknown[]>(make: () => Promise<Handler<Args>>): Late<Args> {
  let made: Handler<Args> | null = null;
  let making: Promise<Handler<Args>> | null = null;
  const load = async (): Promise<Handler<Args>> => {
    making ??= make();
    made = await making;
    return made;
  };
  return {
    handler: (...args) => (made === null ? load().then((handler) => handler(...args)) : made(...args)),
    async load() {
      await load();
    },
  };
}
