import type { Bench } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkUpload } from '../check.ts';
import type { Size } from '../effort.ts';
import { atLeast, atMost, type Finding, medianOf, type Row, type Verdict } from '../finding.ts';
import {
  alternate,
  type Contender,
  createContender,
  limitOf,
  noteLoadLimit,
  picked,
  ratios,
} from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const CHECKED_BYTES = 5 * MIB;
/** Who needs so much longer than a round should take, takes part in every third one only. */
const SLOW_SECONDS = 4;
/** The most that our server may cost, as a ratio to the bare pipe. */
const GOALS: Readonly<Record<string, number>> = { '100KiB': 0.9, '5MB': 1, '100MB': 1 };
/** How many times cheaper than the tutorial it has to be. */
const CHEAPER_THAN_TUTORIAL = 6;

/** CPU per GiB of files, at every size. */
export async function measureThroughput(bench: Bench): Promise<Finding> {
  const rows: Row[] = [];
  const notes: string[] = [];
  await using stack = new AsyncDisposableStack();
  const running: RunningTarget[] = [];
  for (const target of bench.targets) {
    const started = stack.use(await startTarget(target, bench.upstreamPort));
    await checkUpload(started, bench, CHECKED_BYTES);
    running.push(started);
  }
  bench.progress('throughput: warm-up');
  await warmUp(bench, running, 'upload');
  for (const size of bench.effort.sizes) {
    const contenders = await measureSize(bench, running, size);
    const measured = contenders.map((contender) => toRow(contender, contenders, size));
    const tutorial = medianOf(
      measured.find(({ target }) => target === 'tutorial'),
      'cpuSecondsPerGib',
    );
    rows.push(...measured.map((row) => (row.target === OURS ? withTutorial(row, tutorial) : row)));
    notes.push(
      ...noteLoadLimit(
        contenders.map((contender) => ({
          name: `${contender.running.target.name} at ${size.label}`,
          limit: limitOf(contender),
        })),
      ),
    );
    const seldom = contenders.filter(({ every }) => every > 1).map(({ running }) => running.target.name);
    if (seldom.length > 0) notes.push(`In every third round only, at ${size.label}: ${seldom.join(', ')}.`);
  }
  return {
    name: 'throughput',
    title: 'Forwarding uploads',
    method: `${bench.effort.concurrency} connections, each sending one upload after the other. CPU of the target's process tree per GiB of files; the ratio is to the bare pipe in the same round.`,
    variantColumn: 'file',
    columns: ['CPU s/GiB', 'ratio', 'MiB/s', 'p50 ms', 'p99 ms', 'limit'],
    rows,
    notes,
  };
}

async function measureSize(
  bench: Bench,
  running: readonly RunningTarget[],
  size: Size,
): Promise<Contender<Sample>[]> {
  const { rounds, seconds } = bench.effort.throughput;
  const { concurrency } = bench.effort;
  const burden: Burden = { kind: 'upload', fileBytes: size.bytes, concurrency, until: { seconds } };
  const contenders = running.map((one) => createContender<Sample>(one));
  bench.progress(`throughput: ${size.label}`);
  for (const contender of contenders) {
    const trial = await carry(contender.running, bench, burden);
    if (trial.seconds > seconds + SLOW_SECONDS) contender.every = 3;
  }
  await alternate(contenders, rounds, (one) => carry(one, bench, burden));
  return contenders;
}

function toRow(contender: Contender<Sample>, contenders: readonly Contender<Sample>[], size: Size): Row {
  const target = contender.running.target.name;
  const perGib = (sample: Sample): number => sample.cpuSeconds / ((sample.requests * size.bytes) / GIB);
  const cpuSecondsPerGib = spreadOf(picked(contender, perGib));
  const all = ratios(contender, contenders, perGib);
  const ratio = all && spreadOf(all);
  const speed = spreadOf(
    picked(contender, ({ requests, seconds }) => (requests * size.bytes) / MIB / seconds),
  );
  const p50Ms = spreadOf(picked(contender, (sample) => sample.p50Ms));
  const p99Ms = spreadOf(picked(contender, (sample) => sample.p99Ms));
  const goal = GOALS[size.label];
  const isHeld = target === OURS && ratio !== null && goal !== undefined;
  return {
    target,
    variant: size.label,
    cells: [
      formatSpread(cpuSecondsPerGib),
      ratio === null ? '1' : formatSpread(ratio),
      speed.median.toFixed(0),
      p50Ms.median.toFixed(1),
      p99Ms.median.toFixed(1),
      limitOf(contender),
    ],
    verdicts: isHeld ? [atMost('ratio', ratio.median, goal)] : [],
    values: { cpuSecondsPerGib, ratio, mibPerSecond: speed, p50Ms, p99Ms },
  };
}

function withTutorial(row: Row, tutorial: number | null): Row {
  const ours = medianOf(row, 'cpuSecondsPerGib');
  if (tutorial === null || ours === null) return row;
  const verdict: Verdict = atLeast('tutorial ÷ ours', tutorial / ours, CHEAPER_THAN_TUTORIAL);
  return { ...row, verdicts: [...row.verdicts, verdict] };
}
