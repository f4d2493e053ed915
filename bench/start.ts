import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/helpers/free-port.ts';
import { usageOf } from './machine.ts';
import { Program } from './processes.ts';
import type { Measured } from './report.ts';
import { type Bench, fewTargets, spreadOf } from './runner.ts';
import type { Target } from './targets.ts';

const POLL_MS = 1;
const DEADLINE_MS = 60_000;
const SETTLE_MS = 2_000;
const MIB = 1024 ** 2;

/** One start of a target. */
interface Start {
  /** From the spawn to the first 200 of `/healthz`, or to any response of the others. */
  readonly liveMs: number;
  /** The same for `/readyz`. */
  readonly readyMs: number | null;
  readonly idleMib: number;
}

/** Time from the spawn of a process to its first response, and its memory after that. */
export async function measureStart(bench: Bench): Promise<Measured> {
  const { profile } = bench;
  const starts = new Map<Target, Start[]>(fewTargets(bench).map((target) => [target, []]));
  bench.progress('start');
  for (const target of starts.keys()) await startOnce(target, bench); // fills the page cache
  for (let round = 0; round < profile.start.rounds; round += 1) {
    for (const [target, taken] of starts) taken.push(await startOnce(target, bench));
  }
  return {
    title: 'Start',
    method:
      'From the spawn of the process to the first 200 of `/healthz` and of `/readyz`; of the peers, to any response. Memory is that of an idle process two seconds later.',
    columns: [
      { value: 'liveMs', title: '/healthz ms', digits: 0 },
      { value: 'readyMs', title: '/readyz ms', digits: 0 },
      { value: 'idleMib', title: 'idle MiB', digits: 0 },
    ],
    rows: [...starts].map(([{ name, hasChecks }, taken]) => ({
      target: name,
      load: null,
      values: {
        liveMs: spreadOf(taken.map(({ liveMs }) => liveMs)),
        readyMs: hasChecks ? spreadOf(taken.map(({ readyMs }) => readyMs ?? Number.NaN)) : null,
        idleMib: spreadOf(taken.map(({ idleMib }) => idleMib)),
      },
    })),
    notes: [],
  };
}

async function startOnce(target: Target, bench: Bench): Promise<Start> {
  const port = await freePort();
  const launch = target.launch(port, bench.plain);
  try {
    const startedAt = performance.now();
    await using program = new Program('target', launch.command, launch.env);
    const until = async (path: string): Promise<number> => {
      while (!(await responds(port, path, target.hasChecks))) {
        if (program.hasEnded || performance.now() - startedAt > DEADLINE_MS) {
          throw new Error(`${target.name} does not respond to ${path}`);
        }
        await sleep(POLL_MS);
      }
      return performance.now() - startedAt;
    };
    const liveMs = await until('/healthz');
    const readyMs = target.hasChecks ? await until('/readyz') : null;
    await sleep(SETTLE_MS);
    return { liveMs, readyMs, idleMib: usageOf([program.pid]).residentBytes / MIB };
  } finally {
    launch[Symbol.dispose]?.();
  }
}

/** Asks on a bare socket: `fetch` itself takes time. */
function responds(port: number, path: string, isOkWanted: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`));
    socket.once('data', (data: Buffer) => {
      resolve(!isOkWanted || data.toString('latin1').startsWith('HTTP/1.1 200 '));
      socket.destroy();
    });
  });
}
