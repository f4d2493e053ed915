import { type Bench, countUpstream, fewTargets } from '../bench.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import type { PaceCommand, PaceResult } from '../messages.ts';
import { alternate, type Contender, createContender, picked } from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const BYTES_PER_SECOND = 10_000_000;
const MAX_UPSTREAM_MS = 0.6;
const MAX_ANSWER_MS = 1.5;
const WARM_UP_BYTES = 1_000_000;

/** Milliseconds after the caller's last byte. */
interface Delay {
  readonly upstreamMs: number;
  readonly answerMs: number;
}

/** How long after the caller's last byte the upstream has everything, and the caller its answer. */
export async function measureCutThrough(bench: Bench): Promise<Finding> {
  const { upstreamPort, effort } = bench;
  const { rounds, fileBytes } = effort.cutThrough;
  await using stack = new AsyncDisposableStack();
  const contenders: Contender<Delay>[] = [];
  for (const target of fewTargets(bench)) {
    const running = stack.use(await startTarget(target, upstreamPort));
    await checkUpload(running, bench, WARM_UP_BYTES);
    contenders.push(createContender(running));
  }
  bench.progress('cut-through: warm-up');
  await warmUp(
    bench,
    contenders.map(({ running }) => running),
    'upload',
  );
  for (const { running } of contenders) await send(running, bench, WARM_UP_BYTES);
  bench.progress('cut-through');
  await alternate(contenders, rounds, (running) => send(running, bench, fileBytes));
  return {
    name: 'cut-through',
    title: 'Cut-through',
    method: `One upload of ${fileBytes / 1e6} MB at ${BYTES_PER_SECOND / 1e6} MB/s. Times after the caller handed its last bytes to the kernel.`,
    variantColumn: null,
    columns: ['last byte at the upstream, ms', 'answer at the caller, ms'],
    rows: contenders.map(toRow),
    notes: [],
  };
}

async function send(running: RunningTarget, bench: Bench, fileBytes: number): Promise<Delay> {
  const { load, upstream } = bench;
  const { port, target } = running;
  await load.ask({ command: 'prepare', fileBytes });
  const command: PaceCommand = {
    command: 'pace',
    port,
    path: target.path,
    kind: 'upload',
    fileBytes,
    concurrency: 1,
    bytesPerSecond: BYTES_PER_SECOND,
  };
  const result = await load.ask<PaceResult>(command);
  if (result.failure !== null) throw new Error(`${target.name}: ${result.failure}`);
  const counted = await countUpstream(upstream);
  return {
    upstreamMs: counted.lastByteAtMs - result.lastByteAtMs,
    answerMs: result.answeredAtMs - result.lastByteAtMs,
  };
}

function toRow(contender: Contender<Delay>): Row {
  const target = contender.running.target.name;
  const upstreamMs = spreadOf(picked(contender, (delay) => delay.upstreamMs));
  const answerMs = spreadOf(picked(contender, (delay) => delay.answerMs));
  const verdicts = [
    atMost('upstream', upstreamMs.median, MAX_UPSTREAM_MS, ' ms'),
    atMost('answer', answerMs.median, MAX_ANSWER_MS, ' ms'),
  ];
  return {
    target,
    variant: null,
    cells: [formatSpread(upstreamMs), formatSpread(answerMs)],
    verdicts: target === OURS ? verdicts : [],
    values: { upstreamMs, answerMs },
  };
}
