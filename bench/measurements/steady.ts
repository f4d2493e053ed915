import type { Bench } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkUpload } from '../check.ts';
import type { Finding, Row } from '../finding.ts';
import { startTarget } from '../running-target.ts';
import type { Spread } from '../spread.ts';
import { spreadOf } from '../spread.ts';
import { OURS, targetNamed } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

/** The rate that docs/performance.md reckons for, and the part of it that two cores and a laptop can send. */
const MODEL_PER_MINUTE = 10_000;
const PER_MINUTE = 2_500;
const FULL_SPEED_ROUNDS = 3;

const SIZES = [
  { label: '100KiB', bytes: 100 * 1024 },
  { label: '1MB', bytes: 1_000_000 },
];

/** What uploads cost that come at a steady rate, compared to what they cost at full speed. */
export async function measureSteady(bench: Bench): Promise<Finding> {
  const { effort, upstreamPort } = bench;
  await using running = await startTarget(targetNamed(OURS), upstreamPort);
  bench.progress('steady: warm-up');
  await warmUp(bench, [running], 'upload');
  const rows: Row[] = [];
  for (const { label, bytes } of SIZES) {
    await checkUpload(running, bench, bytes);
    const { seconds } = effort.steady;
    const burden: Burden = {
      kind: 'upload',
      fileBytes: bytes,
      concurrency: effort.concurrency,
      until: { seconds: Math.min(1, seconds) },
    };
    bench.progress(`steady: ${label}`);
    const fast: number[] = [];
    for (let round = 0; round < FULL_SPEED_ROUNDS; round += 1)
      fast.push(msPerUpload(await carry(running, bench, burden)));
    const steady = await carry(running, bench, { ...burden, until: { seconds }, perSecond: PER_MINUTE / 60 });
    rows.push(toRow(label, spreadOf(fast), steady));
  }
  return {
    name: 'steady',
    title: 'A steady rate',
    method: `This server; ${PER_MINUTE.toLocaleString('en')} uploads a minute for ${effort.steady.seconds} s, spread evenly, compared to as many as it takes on ${effort.concurrency} connections.`,
    variantColumn: 'file',
    columns: [
      'at full speed, CPU ms/upload',
      'at the rate, CPU ms/upload',
      'of a core',
      `of a core at ${MODEL_PER_MINUTE.toLocaleString('en')} a minute, by the rate`,
      'p50 ms',
      'p99 ms',
    ],
    rows,
    notes: [],
  };
}

function msPerUpload({ cpuSeconds, requests }: Sample): number {
  return (cpuSeconds / requests) * 1e3;
}

function toRow(file: string, fastMs: Spread, steady: Sample): Row {
  const steadyMs = msPerUpload(steady);
  const coreAtModel = (steadyMs / 1e3) * (MODEL_PER_MINUTE / 60);
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return {
    target: OURS,
    variant: file,
    cells: [
      fastMs.median.toFixed(2),
      steadyMs.toFixed(2),
      percent(steady.targetShare),
      percent(coreAtModel),
      steady.p50Ms.toFixed(1),
      steady.p99Ms.toFixed(1),
    ],
    verdicts: [],
    values: { fastMs, steadyMs, coreShare: steady.targetShare, coreShareAtModel: coreAtModel },
  };
}
