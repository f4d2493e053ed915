import { checkInitiate } from './check.ts';
import type { Measured } from './report.ts';
import {
  alternate,
  type Bench,
  fewTargets,
  ratio,
  runLoad,
  type Sample,
  spread,
  startAll,
  warmUp,
} from './runner.ts';

/** CPU and time of getting a signed URL by JSON. */
export async function measureInitiate(bench: Bench): Promise<Measured> {
  const { concurrency, initiate } = bench.profile;
  await using stack = new AsyncDisposableStack();
  const all = await startAll(fewTargets(bench), bench.plain, stack, (running) =>
    checkInitiate(running, bench),
  );
  await warmUp(bench, all, 'initiate');
  bench.progress('initiate');
  const until = { seconds: initiate.seconds };
  const measure = (running: (typeof all)[number]): Promise<Sample> =>
    runLoad(running, bench, { kind: 'initiate', fileBytes: 1_000_000, concurrency, until });
  const series = await alternate(bench, all, initiate.rounds, measure, 'initiate');
  const cost = ({ cpuSeconds, requests }: Sample): number => (cpuSeconds / requests) * 1e6;
  return {
    title: 'Getting a signed URL',
    method: `\`initiate\` as JSON on ${concurrency} keep-alive connections, one request after the other. Ratios are to the bare pipe in the same round.`,
    columns: [
      { value: 'cpuMicroseconds', title: 'CPU µs/request', digits: 0 },
      { value: 'ratio', title: 'ratio', digits: 2 },
      { value: 'p50Ms', title: 'p50 ms', digits: 2 },
      { value: 'p99Ms', title: 'p99 ms', digits: 2 },
    ],
    rows: series.map((one) => ({
      target: one.running.target.name,
      load: null,
      values: {
        cpuMicroseconds: spread(one, cost),
        ratio: ratio(one, series, cost),
        p50Ms: spread(one, ({ p50Ms }) => p50Ms),
        p99Ms: spread(one, ({ p99Ms }) => p99Ms),
      },
    })),
    notes: [],
  };
}
