import { setTimeout as sleep } from 'node:timers/promises';
import { checkTarget } from './check.ts';
import { MemoryWatch, type Spread, spreadOf, usageOf } from './measure.ts';
import type { LoadCommand, LoadResult, UpstreamReport } from './messages.ts';
import type { Options, Size } from './options.ts';
import { Part } from './processes.ts';
import { BASELINE, type RunningTarget, startTarget } from './targets.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** Form, fields and chunk sizes that may come on top of the content of a file. */
const MAX_OVERHEAD_BYTES = 2048;
/** A core is the limit from here on. */
const BUSY_SHARE = 0.95;

/** What was measured of one target at one size. */
export interface Row {
  readonly target: string;
  readonly size: string;
  readonly cpuSecondsPerGib: Spread;
  /** To the baseline of the same round; null for the baseline itself. */
  readonly ratio: Spread | null;
  readonly idleMib: number;
  readonly peakMib: number;
  readonly mibPerSecond: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What kept it from being faster: itself, the core that load and upstream share, or neither. */
  readonly limit: 'target' | 'load' | 'neither';
}

/** One target in one round. */
interface Sample {
  readonly cpuSecondsPerGib: number;
  readonly mibPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly targetShare: number;
  readonly otherShare: number;
}

/** A target with what was measured of it. */
interface Contender {
  readonly running: RunningTarget;
  readonly idleBytes: number;
  readonly memory: MemoryWatch;
  readonly samples: Sample[];
}

/** The processes around the targets. */
export interface Surroundings {
  readonly load: Part;
  readonly upstream: Part;
  readonly upstreamPort: number;
}

/** Starts the load generator and the upstream, on the core that is not measured. */
export async function startSurroundings(): Promise<Surroundings> {
  const load = new Part('other', ['bench/load.ts'], {}, true);
  const upstream = new Part('other', ['bench/upstream.ts'], {}, true);
  const listening = await upstream.next<UpstreamReport>();
  if (listening.kind !== 'listening') throw new Error('the upstream does not listen');
  return { load, upstream, upstreamPort: listening.port };
}

/** Measures all targets at one size, in alternated rounds. */
export async function compare(
  surroundings: Surroundings,
  options: Options,
  size: Size,
  onRound: (round: number) => void,
): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const contenders: Contender[] = [];
  for (const target of options.targets) {
    const running = stack.use(await startTarget(target, surroundings.upstreamPort));
    await checkTarget(running, surroundings.upstream, Math.min(size.bytes, 5 * MIB));
    await sleep(300);
    const idleBytes = usageOf(running.pid).residentBytes;
    const memory = stack.use(new MemoryWatch(running.pid));
    contenders.push({ running, idleBytes, memory, samples: [] });
  }
  for (const { running } of contenders) await carry(running, surroundings, options, size); // warm-up
  for (let round = 0; round < options.rounds; round += 1) {
    onRound(round);
    // First and last take turns: what the machine does meanwhile, or warms up to, favours nobody.
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const { running, samples } of order) {
      samples.push(await carry(running, surroundings, options, size));
    }
  }
  const baseline = contenders.find(({ running }) => running.target.name === BASELINE);
  return contenders.map((contender) => toRow(contender, baseline, size));
}

/** Has `running` carry one round of uploads. */
async function carry(
  running: RunningTarget,
  { load, upstream }: Surroundings,
  { roundBytes, concurrency }: Options,
  size: Size,
): Promise<Sample> {
  const uploads = Math.max(concurrency, Math.round(roundBytes / size.bytes));
  const { path } = running.target;
  const command: LoadCommand = { port: running.port, path, fileBytes: size.bytes, uploads, concurrency };
  await load.ask({ ...command, uploads: 0 }); // makes the bytes
  const before = cpuOf(running, load, upstream);
  const result = await load.ask<LoadResult>(command);
  await sleep(50); // what is done after the last answer belongs to it
  const after = cpuOf(running, load, upstream);
  if (result.failure !== null) throw new Error(`${running.target.name}: ${result.failure}`);
  await assertArrived(running, upstream, uploads, size.bytes);
  const bytes = uploads * size.bytes;
  return {
    cpuSecondsPerGib: (after.target - before.target) / (bytes / GIB),
    mibPerSecond: bytes / MIB / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    targetShare: (after.target - before.target) / result.seconds,
    otherShare: (after.other - before.other) / result.seconds,
  };
}

function cpuOf(running: RunningTarget, load: Part, upstream: Part): { target: number; other: number } {
  return {
    target: usageOf(running.pid).cpuSeconds,
    other: usageOf(load.pid).cpuSeconds + usageOf(upstream.pid).cpuSeconds,
  };
}

async function assertArrived(
  { target }: RunningTarget,
  upstream: Part,
  uploads: number,
  fileBytes: number,
): Promise<void> {
  const counted = await upstream.ask<UpstreamReport>('count');
  if (counted.kind !== 'counted') throw new Error('the upstream did not count');
  const extra = counted.bodyBytes - uploads * fileBytes;
  if (counted.requests !== uploads || extra < 0 || extra > uploads * MAX_OVERHEAD_BYTES) {
    throw new Error(`${target.name}: ${counted.requests} of ${uploads} uploads arrived, ${extra} bytes over`);
  }
}

function toRow(contender: Contender, baseline: Contender | undefined, size: Size): Row {
  const { running, samples, memory, idleBytes } = contender;
  const middle = (pick: (sample: Sample) => number): number => spreadOf(samples.map(pick)).median;
  const ratios =
    baseline === undefined || baseline === contender
      ? null
      : samples.map(
          ({ cpuSecondsPerGib }, round) =>
            cpuSecondsPerGib / (baseline.samples[round]?.cpuSecondsPerGib ?? Number.NaN),
        );
  return {
    target: running.target.name,
    size: size.label,
    cpuSecondsPerGib: spreadOf(samples.map(({ cpuSecondsPerGib }) => cpuSecondsPerGib)),
    ratio: ratios && spreadOf(ratios),
    idleMib: idleBytes / MIB,
    peakMib: memory.mostBytes / MIB,
    mibPerSecond: spreadOf(samples.map(({ mibPerSecond }) => mibPerSecond)),
    p50Ms: middle(({ p50Ms }) => p50Ms),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    limit: limitOf(
      middle(({ targetShare }) => targetShare),
      middle(({ otherShare }) => otherShare),
    ),
  };
}

function limitOf(targetShare: number, otherShare: number): Row['limit'] {
  if (targetShare >= BUSY_SHARE && targetShare >= otherShare) return 'target';
  return otherShare >= BUSY_SHARE ? 'load' : 'neither';
}
