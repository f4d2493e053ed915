import { type Bench, fewTargets } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import { alternate, type Contender, createContender, limitOf, noteLoadLimit, picked } from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { spreadOf } from '../spread.ts';
import { BASELINE, LEADWAY_PATH, OURS, type Target } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const FILE_BYTES = 100 * 1024;

/** Stands for no proxy at all. */
const DIRECT: Target = {
  name: 'no proxy',
  title: 'no proxy',
  path: LEADWAY_PATH,
  hasChecks: false,
  isInstalled: () => true,
  launch: () => ({ command: [], env: {} }),
};

/** What small uploads take longer than without a proxy. */
export async function measureLatency(bench: Bench): Promise<Finding> {
  const { upstream, upstreamPort, effort } = bench;
  const { rounds, seconds } = effort.latency;
  const burden: Burden = {
    kind: 'upload',
    fileBytes: FILE_BYTES,
    concurrency: effort.concurrency,
    until: { seconds },
  };
  await using stack = new AsyncDisposableStack();
  const direct: RunningTarget = {
    target: DIRECT,
    port: upstreamPort,
    pids: [upstream.pid],
    [Symbol.asyncDispose]: async () => {},
  };
  const contenders: Contender<Sample>[] = [createContender(direct)];
  for (const target of fewTargets(bench)) {
    const running = stack.use(await startTarget(target, upstreamPort));
    await checkUpload(running, bench, FILE_BYTES);
    contenders.push(createContender(running));
  }
  bench.progress('latency: warm-up');
  await warmUp(
    bench,
    contenders.map(({ running }) => running),
    'upload',
  );
  bench.progress('latency');
  await alternate(contenders, rounds, (running) => carry(running, bench, burden));
  const [without, ...proxies] = contenders;
  const added = proxies.map((contender) => addedBy(contender, without));
  const baseline = added.find(({ target }) => target === BASELINE) ?? null;
  return {
    name: 'latency',
    title: 'Latency of small uploads',
    method: `100 KiB on ${effort.concurrency} keep-alive connections that send as fast as they are answered. Added: over the same load sent to the upstream without a proxy.`,
    variantColumn: null,
    columns: ['added p50, ms', 'added p99, ms'],
    rows: added.map((one) => toRow(one, baseline)),
    notes: noteLoadLimit(
      proxies.map((contender) => ({ name: contender.running.target.name, limit: limitOf(contender) })),
    ),
  };
}

/** Medians of what a proxy adds. */
interface Added {
  readonly target: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function addedBy(contender: Contender<Sample>, without: Contender<Sample> | undefined): Added {
  const over = (pick: (sample: Sample) => number): number =>
    spreadOf(picked(contender, pick)).median - (without ? spreadOf(picked(without, pick)).median : 0);
  return {
    target: contender.running.target.name,
    p50Ms: over((sample) => sample.p50Ms),
    p99Ms: over((sample) => sample.p99Ms),
  };
}

function toRow({ target, p50Ms, p99Ms }: Added, baseline: Added | null): Row {
  const verdicts =
    baseline === null
      ? []
      : [
          atMost('p50', p50Ms, round(baseline.p50Ms), ' ms'),
          atMost('p99', p99Ms, round(baseline.p99Ms), ' ms'),
        ];
  return {
    target,
    variant: null,
    cells: [p50Ms.toFixed(2), p99Ms.toFixed(2)],
    verdicts: target === OURS ? verdicts : [],
    values: { p50Ms, p99Ms },
  };
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
