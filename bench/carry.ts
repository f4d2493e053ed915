import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, countUpstream } from './bench.ts';
import type { LoadResult, RepeatCommand, Shot } from './messages.ts';
import type { RunningTarget } from './running-target.ts';
import { usageOf } from './usage.ts';

/** Form, fields and chunk sizes that may come on top of the content of a file. */
const MAX_OVERHEAD_BYTES = 4096;

/** One target in one round. */
export interface Sample {
  readonly requests: number;
  readonly seconds: number;
  /** Of the target's process tree. */
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How busy a core the target was, and load and upstream together. */
  readonly targetShare: number;
  readonly otherShare: number;
}

/** What a target has to carry in a round. */
export interface Burden extends Pick<Shot, 'kind' | 'fileBytes' | 'concurrency'> {
  readonly until: RepeatCommand['until'];
  readonly perSecond?: number;
}

/**
 * Has `running` carry one round.
 *
 * @throws Error when a request was not answered with 200, or did not arrive whole.
 */
export async function carry(running: RunningTarget, bench: Bench, burden: Burden): Promise<Sample> {
  const { load, upstream } = bench;
  const { port, target } = running;
  const path = burden.kind === 'upload' ? target.path : `${target.path}/initiate`;
  if (burden.kind === 'upload') await load.ask({ command: 'prepare', fileBytes: burden.fileBytes });
  await countUpstream(upstream);
  const before = cpuOf(running, bench);
  const command: RepeatCommand = { command: 'repeat', port, path, ...burden };
  const result = await load.ask<LoadResult>(command);
  await sleep(50); // what is done after the last answer belongs to it
  const after = cpuOf(running, bench);
  if (result.failure !== null) throw new Error(`${target.name}: ${result.failure}`);
  await assertArrived(running, bench, burden, result.requests);
  const { requests, seconds, p50Ms, p99Ms } = result;
  const cpuSeconds = after.target - before.target;
  return {
    requests,
    seconds,
    cpuSeconds,
    p50Ms,
    p99Ms,
    targetShare: cpuSeconds / seconds,
    otherShare: (after.other - before.other) / seconds,
  };
}

function cpuOf({ pids }: RunningTarget, { load, upstream }: Bench): { target: number; other: number } {
  return {
    target: usageOf(pids).cpuSeconds,
    other: usageOf([load.pid, upstream.pid]).cpuSeconds,
  };
}

async function assertArrived(
  { target }: RunningTarget,
  { upstream }: Bench,
  { kind, fileBytes }: Burden,
  requests: number,
): Promise<void> {
  const counted = await countUpstream(upstream);
  const extra = counted.bodyBytes - (kind === 'upload' ? requests * fileBytes : 0);
  if (counted.requests !== requests || extra < 0 || extra > requests * MAX_OVERHEAD_BYTES) {
    throw new Error(`${target.name}: ${counted.requests} of ${requests} arrived, ${extra} bytes over`);
  }
}
