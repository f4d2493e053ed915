import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/helpers/free-port.ts';
import type { Bench } from '../bench.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import { Part } from '../processes.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS, type Target } from '../targets.ts';

const MAX_START_MS = 300;
const POLL_MS = 1;
const DEADLINE_MS = 60_000;

/** Time from the spawn of a process to its first answer. */
export async function measureStart(bench: Bench): Promise<Finding> {
  const { targets, upstreamPort, effort } = bench;
  const times = new Map<Target, number[]>(targets.map((target) => [target, []]));
  bench.progress('start: warm-up');
  for (const target of targets) await startOnce(target, upstreamPort); // files into the page cache
  bench.progress('start');
  for (let round = 0; round < effort.start.rounds; round += 1) {
    for (const [target, taken] of times) taken.push(await startOnce(target, upstreamPort));
  }
  return {
    name: 'start',
    title: 'Start',
    method:
      'From the spawn of the process to its first answer: 200 on `/healthz` for our server, any answer for the others.',
    variantColumn: null,
    columns: ['ms'],
    rows: [...times].map(([target, taken]) => toRow(target.name, taken)),
    notes: [],
  };
}

async function startOnce(target: Target, upstreamPort: number): Promise<number> {
  const port = await freePort();
  using launch = disposable(target.launch(port, upstreamPort, []));
  const startedAt = performance.now();
  await using part = new Part('target', launch.command, launch.env, false);
  while (!(await answers(port, target.name === OURS))) {
    if (part.hasEnded || performance.now() - startedAt > DEADLINE_MS) {
      throw new Error(`${target.name} does not answer`);
    }
    await sleep(POLL_MS);
  }
  return performance.now() - startedAt;
}

function disposable<Thing extends Partial<Disposable>>(thing: Thing): Thing & Disposable {
  return { ...thing, [Symbol.dispose]: () => thing[Symbol.dispose]?.() };
}

/** Asks for `/healthz` on a socket of its own: `fetch` would bring its own time. */
function answers(port: number, isOkWanted: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'));
    socket.once('data', (data: Buffer) => {
      resolve(!isOkWanted || data.toString('latin1').startsWith('HTTP/1.1 200 '));
      socket.destroy();
    });
  });
}

function toRow(target: string, taken: readonly number[]): Row {
  const startMs = spreadOf(taken);
  return {
    target,
    variant: null,
    cells: [formatSpread(startMs, 0)],
    verdicts: target === OURS ? [atMost('start', startMs.median, MAX_START_MS, ' ms')] : [],
    values: { startMs },
  };
}
