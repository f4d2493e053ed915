import type { Bench } from './bench.ts';
import { type Burden, carry } from './carry.ts';
import type { RunningTarget } from './running-target.ts';

const FILE_BYTES = 100 * 1024;

/** Has each of `running` do small requests of a kind until its code is compiled. */
export async function warmUp(
  bench: Bench,
  running: readonly RunningTarget[],
  kind: Burden['kind'],
): Promise<void> {
  const { concurrency, warmUpSeconds } = bench.effort;
  const until = { seconds: warmUpSeconds };
  for (const one of running) await carry(one, bench, { kind, fileBytes: FILE_BYTES, concurrency, until });
}
