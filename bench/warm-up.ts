import type { Bench } from './bench.ts';
import { type Burden, carry } from './carry.ts';
import type { RunningTarget } from './running-target.ts';
import { usageOf } from './usage.ts';

const FILE_BYTES = 100 * 1024;
/** Less than this beside the main thread, and V8's compiler has nothing more to do. */
const QUIET_SHARE = 0.05;
const MAX_ROUNDS = 5;

/**
 * Has each of `running` do small requests of a kind until its code is compiled: V8 compiles what is hot on threads of
 * its own, so it is known to be done when those rest. A target whose garbage keeps them busy is let off after a while.
 */
export async function warmUp(
  bench: Bench,
  running: readonly RunningTarget[],
  kind: Burden['kind'],
): Promise<void> {
  const { concurrency, warmUpSeconds } = bench.effort;
  const burden: Burden = { kind, fileBytes: FILE_BYTES, concurrency, until: { seconds: warmUpSeconds } };
  for (const one of running) {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const before = usageOf(one.pids);
      await carry(one, bench, burden);
      const after = usageOf(one.pids);
      const main = after.mainThreadSeconds - before.mainThreadSeconds;
      if (main >= (1 - QUIET_SHARE) * (after.cpuSeconds - before.cpuSeconds)) break;
    }
  }
}
