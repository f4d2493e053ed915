import assert from 'node:assert/strict';
import type { Bench } from '../bench.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import type { RefusalCommand, RefusalResult } from '../messages.ts';
import { alternate, type Contender, createContender, picked } from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS } from '../targets.ts';
import { usageOf } from '../usage.ts';

const MIB = 1024 ** 2;
const FILE_BYTES = 50_000_000;
const MAX_ANSWER_MS = 5;
/** 2 MiB once it is refused, and what the server's buffers took in before. */
const MAX_READ_MIB = 2.5;
const WARM_UP = 30;
const MAX_TRIES = 5;

interface Refusal {
  readonly answerMs: number;
  readonly readMib: number;
}

/** How soon a wrong type is refused, and how much of it is still read. */
export async function measureRefusal(bench: Bench): Promise<Finding> {
  const { upstreamPort, effort, targets } = bench;
  await using stack = new AsyncDisposableStack();
  const contenders: Contender<Refusal>[] = [];
  let lost = 0;
  for (const target of targets.filter(({ hasChecks }) => hasChecks)) {
    const running = stack.use(await startTarget(target, upstreamPort));
    await checkUpload(running, bench, 1_000_000);
    for (let count = 0; count < WARM_UP; count += 1) await refuse(running, bench, () => {});
    contenders.push(createContender(running));
  }
  bench.progress('refusal');
  await alternate(contenders, effort.refusal.rounds, (running) =>
    refuse(running, bench, () => {
      lost += 1;
    }),
  );
  return {
    name: 'refusal',
    title: 'A refusal by the head',
    method: `A video of ${FILE_BYTES / 1e6} MB called \`.pdf\`, sent at full speed. Time from the first bytes, which have the head, to the 415; what the server read in all, by the kernel's count: 2 MiB once it has refused, and what its buffers took in before.`,
    variantColumn: null,
    columns: ['415 at the caller, ms', 'read in all, MiB'],
    rows: contenders.map(toRow),
    notes: [
      ...(contenders.length === 0 ? ['Only our server refuses anything.'] : []),
      ...(lost === 0 ? [] : [`Repeated, because the caller was too slow to read the answer: ${lost}.`]),
    ],
  };
}

/** One refusal; `onLost` is told of each try whose answer the caller could not read. */
async function refuse(
  { port, target, pids }: RunningTarget,
  { load }: Bench,
  onLost: () => void,
): Promise<Refusal> {
  const command: RefusalCommand = { command: 'refusal', port, path: target.path, fileBytes: FILE_BYTES };
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const before = usageOf(pids).readBytes;
    const { status, answerMs, failure } = await load.ask<RefusalResult>(command);
    if (failure === null) {
      assert.equal(status, 415, `${target.name}: a video called clip.pdf`);
      return { answerMs, readMib: (usageOf(pids).readBytes - before) / MIB };
    }
    onLost();
  }
  throw new Error(`${target.name}: no answer in ${MAX_TRIES} tries`);
}

function toRow(contender: Contender<Refusal>): Row {
  const target = contender.running.target.name;
  const answerMs = spreadOf(picked(contender, (refusal) => refusal.answerMs));
  const readMib = spreadOf(picked(contender, (refusal) => refusal.readMib));
  const verdicts = [
    atMost('415', answerMs.median, MAX_ANSWER_MS, ' ms'),
    atMost('read', readMib.max, MAX_READ_MIB, ' MiB'),
  ];
  return {
    target,
    variant: null,
    cells: [formatSpread(answerMs), formatSpread(readMib)],
    verdicts: target === OURS ? verdicts : [],
    values: { answerMs, readMib },
  };
}
