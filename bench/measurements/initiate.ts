import { type Bench, fewTargets } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkInitiate } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import {
  alternate,
  type Contender,
  createContender,
  limitOf,
  noteLoadLimit,
  picked,
  ratios,
} from '../rounds.ts';
import { startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const MAX_RATIO = 0.6;

/** What it costs to ask for a signed URL. */
export async function measureInitiate(bench: Bench): Promise<Finding> {
  const { upstreamPort, effort } = bench;
  const { rounds, seconds } = effort.initiate;
  const burden: Burden = {
    kind: 'initiate',
    fileBytes: 1_000_000,
    concurrency: effort.concurrency,
    until: { seconds },
  };
  await using stack = new AsyncDisposableStack();
  const contenders: Contender<Sample>[] = [];
  for (const target of fewTargets(bench)) {
    const running = stack.use(await startTarget(target, upstreamPort));
    await checkInitiate(running, bench);
    contenders.push(createContender(running));
  }
  bench.progress('initiate: warm-up');
  await warmUp(
    bench,
    contenders.map(({ running }) => running),
    'initiate',
  );
  bench.progress('initiate');
  await alternate(contenders, rounds, (running) => carry(running, bench, burden));
  return {
    name: 'initiate',
    title: 'Asking for a signed URL',
    method: `\`initiate\` as JSON on ${effort.concurrency} keep-alive connections that ask as fast as they are answered. Ratios are to the bare pipe in the same round.`,
    variantColumn: null,
    columns: ['CPU µs/request', 'ratio', 'p50 ms', 'p99 ms', 'p99 ratio', 'limit'],
    rows: contenders.map((contender) => toRow(contender, contenders)),
    notes: noteLoadLimit(
      contenders.map((contender) => ({ name: contender.running.target.name, limit: limitOf(contender) })),
    ),
  };
}

function toRow(contender: Contender<Sample>, contenders: readonly Contender<Sample>[]): Row {
  const target = contender.running.target.name;
  const cost = ({ cpuSeconds, requests }: Sample): number => (cpuSeconds / requests) * 1e6;
  const slowest = ({ p99Ms }: Sample): number => p99Ms;
  const cpuMicroseconds = spreadOf(picked(contender, cost));
  const p50Ms = spreadOf(picked(contender, (sample) => sample.p50Ms));
  const p99Ms = spreadOf(picked(contender, slowest));
  const costs = ratios(contender, contenders, cost);
  const delays = ratios(contender, contenders, slowest);
  const ratio = costs && spreadOf(costs);
  const p99Ratio = delays && spreadOf(delays);
  const isHeld = target === OURS && ratio !== null && p99Ratio !== null;
  return {
    target,
    variant: null,
    cells: [
      formatSpread(cpuMicroseconds, 0),
      ratio === null ? '1' : formatSpread(ratio),
      p50Ms.median.toFixed(2),
      p99Ms.median.toFixed(2),
      p99Ratio === null ? '1' : formatSpread(p99Ratio),
      limitOf(contender),
    ],
    verdicts: isHeld
      ? [atMost('ratio', ratio.median, MAX_RATIO), atMost('p99 ratio', p99Ratio.median, MAX_RATIO)]
      : [],
    values: { cpuMicroseconds, ratio, p50Ms, p99Ms, p99Ratio },
  };
}
