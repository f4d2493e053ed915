import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, fewTargets, tellUpstream } from '../bench.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import { MemoryWatch } from '../memory-watch.ts';
import type { LoadCommand } from '../messages.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { OURS, type Target } from '../targets.ts';
import { usageOf } from '../usage.ts';

const MIB = 1024 ** 2;
const FILE_BYTES = 20_000_000;
const SLOW_CALLERS = 50;
const FAST_CALLERS = 16;
/** How fast a slow upstream reads from each connection. */
const UPSTREAM_BYTES_PER_SECOND = 8_000_000;
const MAX_GROWTH_MIB = 64;
/** Until what starting up left behind has settled. */
const SETTLE_MS = 1500;

/** A way of keeping a target's hands full. */
interface Situation {
  readonly label: string;
  readonly upstreamBytesPerSecond: number | null;
  command(running: RunningTarget, bench: Bench): LoadCommand;
}

const SITUATIONS: readonly Situation[] = [
  {
    label: '50 slow uploads of 20 MB',
    upstreamBytesPerSecond: null,
    command: ({ port, target: { path } }, { effort }) => ({
      command: 'pace',
      port,
      path,
      kind: 'upload',
      fileBytes: FILE_BYTES,
      concurrency: SLOW_CALLERS,
      bytesPerSecond: effort.memory.bytesPerSecond,
    }),
  },
  {
    label: '16 fast callers, upstream at 8 MB/s each',
    upstreamBytesPerSecond: UPSTREAM_BYTES_PER_SECOND,
    command: ({ port, target: { path } }, { effort }) => ({
      command: 'repeat',
      port,
      path,
      kind: 'upload',
      fileBytes: FILE_BYTES,
      concurrency: FAST_CALLERS,
      until: { requests: FAST_CALLERS * effort.memory.filesPerCaller },
    }),
  },
];

/** A target whose peak is known and whose memory is still to be looked at again. */
interface Peak {
  readonly situation: Situation;
  readonly running: RunningTarget;
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly endedAt: number;
}

/** Memory under slow callers and a slow upstream, and what is left of it afterwards. */
export async function measureMemory(bench: Bench): Promise<Finding> {
  const { effort } = bench;
  const { waitSeconds, bytesPerSecond } = effort.memory;
  await using stack = new AsyncDisposableStack();
  const rows: Row[] = [];
  const peaks: Peak[] = [];
  for (const situation of SITUATIONS) {
    for (const target of fewTargets(bench)) {
      bench.progress(`memory: ${target.name}, ${situation.label}`);
      peaks.push(await measurePeak(bench, situation, target, stack));
    }
  }
  bench.progress(`memory: waiting ${waitSeconds} s`);
  for (const peak of peaks) {
    await sleep(Math.max(0, peak.endedAt + waitSeconds * 1000 - performance.now()));
    rows.push(toRow(peak));
  }
  return {
    name: 'memory',
    title: 'Memory',
    method: `Resident memory of the process tree, by the kernel's mark, over what it was when idle. Slow callers send ${bytesPerSecond / 1e6} MB/s each; the last column is ${waitSeconds} s after the load ended.`,
    variantColumn: 'load',
    columns: ['idle MiB', 'peak MiB', 'growth MiB', `left after ${waitSeconds} s, MiB`],
    rows,
    notes: [],
  };
}

async function measurePeak(
  bench: Bench,
  situation: Situation,
  target: Target,
  stack: AsyncDisposableStack,
): Promise<Peak> {
  const { load, upstream, upstreamPort } = bench;
  const running = stack.use(await startTarget(target, upstreamPort));
  await checkUpload(running, bench, 1_000_000);
  await load.ask({ command: 'prepare', fileBytes: FILE_BYTES });
  await tellUpstream(upstream, {
    command: 'pace',
    bytesPerSecond: situation.upstreamBytesPerSecond,
  });
  await sleep(SETTLE_MS);
  const idleBytes = usageOf(running.pids).residentBytes;
  using watch = new MemoryWatch(running.pids);
  const { failure } = await load.ask<{ failure: string | null }>(situation.command(running, bench));
  await tellUpstream(upstream, { command: 'pace', bytesPerSecond: null });
  if (failure !== null) throw new Error(`${target.name}, ${situation.label}: ${failure}`);
  return { situation, running, idleBytes, peakBytes: watch.mostBytes, endedAt: performance.now() };
}

function toRow({ situation, running, idleBytes, peakBytes }: Peak): Row {
  const target = running.target.name;
  const idleMib = idleBytes / MIB;
  const peakMib = peakBytes / MIB;
  const growthMib = peakMib - idleMib;
  const leftMib = usageOf(running.pids).residentBytes / MIB - idleMib;
  const verdicts = [atMost('growth', growthMib, MAX_GROWTH_MIB, ' MiB')];
  return {
    target,
    variant: situation.label,
    cells: [idleMib, peakMib, growthMib, leftMib].map((mib) => mib.toFixed(0)),
    verdicts: target === OURS ? verdicts : [],
    values: { idleMib, peakMib, growthMib, leftMib },
  };
}
