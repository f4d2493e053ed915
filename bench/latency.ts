import { checkUpload } from './check.ts';
import type { PaceCommand, PaceResult } from './load.ts';
import type { Measured, Row } from './report.ts';
import {
  alternate,
  type Bench,
  countUpstream,
  fewTargets,
  type Load,
  runLoad,
  spread,
  startAll,
  warmUp,
} from './runner.ts';
import { NO_PROXY, type RunningTarget } from './targets.ts';

const SMALL_BYTES = 100 * 1024;
const SMALL_PER_SECOND = 100;
const SLOW = { count: 200, bytesPerSecond: 25_000 } as const;
const PACE_BYTES_PER_SECOND = 10_000_000;
const CHECKED_BYTES = 1_000_000;

/** How long a small upload takes, alone and beside many slow ones. */
export async function measureLatency(bench: Bench): Promise<Measured> {
  const { concurrency, latency } = bench.profile;
  await using stack = new AsyncDisposableStack();
  const all = await startWarm(bench, stack);
  const direct: RunningTarget = {
    target: NO_PROXY,
    port: bench.upstreamPort,
    pids: [bench.upstream.pid],
    [Symbol.asyncDispose]: async () => {},
  };
  const load: Load = {
    kind: 'upload',
    fileBytes: SMALL_BYTES,
    concurrency,
    until: { seconds: latency.seconds },
    perSecond: SMALL_PER_SECOND,
  };
  const rows: Row[] = [];
  for (const slow of [undefined, SLOW]) {
    const label = slow === undefined ? 'alone' : `beside ${slow.count} slow uploads`;
    bench.progress(`latency: ${label}`);
    const series = await alternate(bench, [direct, ...all], latency.rounds, (running) =>
      runLoad(running, bench, { ...load, ...(slow && { slow }) }),
    );
    for (const one of series) {
      const p50Ms = spread(one, (sample) => sample.p50Ms);
      const p99Ms = spread(one, (sample) => sample.p99Ms);
      rows.push({ target: one.running.target.name, load: label, values: { p50Ms, p99Ms } });
    }
  }
  return {
    title: 'Time of a small upload',
    method: `100 KiB, ${SMALL_PER_SECOND} a second on ${concurrency} keep-alive connections; each slow upload sends ${SLOW.bytesPerSecond / 1e3} KB/s.`,
    columns: [
      { value: 'p50Ms', title: 'p50 ms', digits: 2 },
      { value: 'p99Ms', title: 'p99 ms', digits: 2 },
    ],
    rows,
    notes: [],
  };
}

/** How long after the client's last byte the upstream has everything, and the client its response. */
export async function measureCutThrough(bench: Bench): Promise<Measured> {
  const { rounds, fileBytes } = bench.profile.cutThrough;
  await using stack = new AsyncDisposableStack();
  const all = await startWarm(bench, stack);
  for (const running of all) await sendPaced(running, bench, CHECKED_BYTES);
  bench.progress('cut-through');
  const series = await alternate(bench, all, rounds, (running) => sendPaced(running, bench, fileBytes));
  return {
    title: 'Cut-through',
    method: `One upload of ${fileBytes / 1e6} MB at ${PACE_BYTES_PER_SECOND / 1e6} MB/s. Times after the client handed its last bytes to the kernel.`,
    columns: [
      { value: 'upstreamMs', title: 'last byte at the upstream, ms', digits: 2 },
      { value: 'responseMs', title: 'response at the client, ms', digits: 2 },
    ],
    rows: series.map((one) => ({
      target: one.running.target.name,
      load: null,
      values: {
        upstreamMs: spread(one, ({ upstreamMs }) => upstreamMs),
        responseMs: spread(one, ({ responseMs }) => responseMs),
      },
    })),
    notes: [],
  };
}

async function startWarm(bench: Bench, stack: AsyncDisposableStack): Promise<RunningTarget[]> {
  const check = (running: RunningTarget): Promise<void> => checkUpload(running, bench, CHECKED_BYTES);
  const all = await startAll(fewTargets(bench), bench.plain, stack, check);
  await warmUp(bench, all, 'upload');
  return all;
}

async function sendPaced(
  { port, target }: RunningTarget,
  bench: Bench,
  fileBytes: number,
): Promise<{ readonly upstreamMs: number; readonly responseMs: number }> {
  const { lastByteAtMs, respondedAtMs, failure } = await bench.load.ask<PaceResult>({
    command: 'pace',
    kind: 'upload',
    port,
    path: target.path,
    fileBytes,
    concurrency: 1,
    bytesPerSecond: PACE_BYTES_PER_SECOND,
  } satisfies PaceCommand);
  if (failure !== null) throw new Error(`${target.name}: ${failure}`);
  const counted = await countUpstream(bench);
  return { upstreamMs: counted.lastByteAtMs - lastByteAtMs, responseMs: respondedAtMs - lastByteAtMs };
}
