import assert from 'node:assert/strict';
import type { Bench } from '../bench.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import type { RefusalCommand, RefusalResult } from '../messages.ts';
import { alternate, type Contender, createContender, picked } from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS } from '../targets.ts';

const FILE_BYTES = 50_000_000;
const MAX_ANSWER_MS = 5;
const WARM_UP = 30;
const MAX_TRIES = 5;

/** How soon a wrong type is rejected. */
export async function measureRefusal(bench: Bench): Promise<Finding> {
  const { upstreamPort, effort, targets } = bench;
  await using stack = new AsyncDisposableStack();
  const contenders: Contender<number>[] = [];
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
    method: `A video of ${FILE_BYTES / 1e6} MB called \`.pdf\`, sent at full speed. Time from the first bytes, which have the head, to the 415. The server then reads the rest and discards it, so that every client gets the response.`,
    variantColumn: null,
    columns: ['415 at the caller, ms'],
    rows: contenders.map(toRow),
    notes: [
      ...(contenders.length === 0 ? ['Only our server refuses anything.'] : []),
      ...(lost === 0 ? [] : [`Repeated, because the caller was too slow to read the answer: ${lost}.`]),
    ],
  };
}

/** One refusal; `onLost` is told of each try whose answer the caller could not read. */
async function refuse({ port, target }: RunningTarget, { load }: Bench, onLost: () => void): Promise<number> {
  const command: RefusalCommand = { command: 'refusal', port, path: target.path, fileBytes: FILE_BYTES };
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { status, answerMs, failure } = await load.ask<RefusalResult>(command);
    if (failure === null) {
      assert.equal(status, 415, `${target.name}: a video called clip.pdf`);
      return answerMs;
    }
    onLost();
  }
  throw new Error(`${target.name}: no answer in ${MAX_TRIES} tries`);
}

function toRow(contender: Contender<number>): Row {
  const target = contender.running.target.name;
  const answerMs = spreadOf(picked(contender, (ms) => ms));
  return {
    target,
    variant: null,
    cells: [formatSpread(answerMs)],
    verdicts: target === OURS ? [atMost('415', answerMs.median, MAX_ANSWER_MS, ' ms')] : [],
    values: { answerMs },
  };
}
