import assert from 'node:assert/strict';
import { checkUpload } from './check.ts';
import type { RejectionCommand, RejectionResult } from './load.ts';
import type { Measured } from './report.ts';
import { alternate, type Bench, spread, startAll } from './runner.ts';
import type { RunningTarget } from './targets.ts';

const FILE_BYTES = 50_000_000;
const WARM_UP = 30;
const MAX_TRIES = 5;

/** How soon a file of the wrong type is rejected. */
export async function measureRejection(bench: Bench): Promise<Measured> {
  await using stack = new AsyncDisposableStack();
  const targets = bench.targets.filter(({ hasChecks }) => hasChecks);
  const all = await startAll(targets, bench.plain, stack, (running) =>
    checkUpload(running, bench, 1_000_000),
  );
  bench.progress('rejection');
  for (const running of all) {
    for (let count = 0; count < WARM_UP; count += 1) await rejectOnce(running, bench);
  }
  const series = await alternate(bench, all, bench.profile.rejection.rounds, (running) =>
    rejectOnce(running, bench),
  );
  return {
    title: 'Rejecting a wrong type',
    method: `A video of ${FILE_BYTES / 1e6} MB called \`.pdf\`, sent at full speed. Time from the first bytes, which include the leading bytes of the file, to the 415. The server then reads and discards the rest, so that every client gets the response.`,
    columns: [{ value: 'responseMs', title: '415 at the client, ms', digits: 2 }],
    rows: series.map((one) => ({
      target: one.running.target.name,
      load: null,
      values: { responseMs: spread(one, (ms) => ms) },
    })),
    notes: all.length === 0 ? ['Only our server rejects files.'] : [],
  };
}

/** Tries again where the client was too slow to read the response. */
async function rejectOnce({ port, target }: RunningTarget, { load }: Bench): Promise<number> {
  const command: RejectionCommand = {
    command: 'rejection',
    port,
    path: target.path,
    fileBytes: FILE_BYTES,
  };
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { status, responseMs, failure } = await load.ask<RejectionResult>(command);
    if (failure !== null) continue;
    assert.equal(status, 415, `${target.name}: a video called clip.pdf`);
    return responseMs;
  }
  throw new Error(`${target.name}: no response in ${MAX_TRIES} tries`);
}
