import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Not sooner: V8 takes the collection for a sign that memory is wanted, collects all of it some seconds later and
 * begins anew, small and with less compiled code. A burst after that costs up to three times as much for a second.
 */
const WAIT_MS = 30_000;

/** Collects garbage when there has been nothing to do for a while. */
export interface IdleCollection extends Disposable {
  /** Work has just ended: begins to wait, anew when it waits already. */
  workEnded(): void;
}

/**
 * Gives the memory of a load back after it. V8 looks for garbage only while something allocates, so that a process
 * keeps all that its last uploads left until the next ones come: above all the buffers that their bytes came in.
 * Those die young, so the young generation is enough.
 *
 * @param isBusy Whether there is work again, after which {@link IdleCollection.workEnded} is called once more.
 * @param waitMs How long there must have been none.
 */
export function createIdleCollection(
  isBusy: () => boolean,
  waitMs = WAIT_MS,
  collect = collectGarbage,
): IdleCollection {
  let timer: NodeJS.Timeout | null = null;
  const onQuiet = (): void => {
    if (!isBusy()) collect();
  };
  return {
    workEnded() {
      if (timer === null) timer = setTimeout(onQuiet, waitMs).unref();
      else timer.refresh();
    },
    [Symbol.dispose]() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** V8 offers its collector only to contexts that are made while the flag is set; no other code gets to see it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collector: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collector === 'function') collector({ type: 'minor' });
}
