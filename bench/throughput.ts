import { checkUpload } from './check.ts';
import type { Measured, Row } from './report.ts';
import { alternate, type Bench, ratio, runLoad, type Sample, spread, startAll, warmUp } from './runner.ts';
import { BASELINE, OURS, type RunningTarget, type Target, type Upstream } from './targets.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const CHECKED_BYTES = 5 * MIB;

/** CPU per GiB of uploads at every size, with plain HTTP and with TLS to the upstream. */
export async function measureThroughput(bench: Bench): Promise<Measured> {
  const { profile, targets, plain, tls } = bench;
  const rows = await measureBy(plain, targets, bench, '');
  if (tls !== null) {
    const few = targets.filter(({ name }) => [BASELINE, OURS, 'against'].includes(name));
    rows.push(...(await measureBy(tls, few, bench, ', TLS')));
  }
  return {
    title: 'Forwarding uploads',
    method: `${profile.concurrency} connections, each sending one upload after the other. CPU is user and system time of the target's processes; the ratio is to the bare pipe in the same round. TLS is that to the upstream.`,
    columns: [
      { value: 'cpuSecondsPerGib', title: 'CPU s/GiB', digits: 2 },
      { value: 'cpuMicroseconds', title: 'CPU µs/upload', digits: 0 },
      { value: 'ratio', title: 'ratio', digits: 2 },
      { value: 'mibPerSecond', title: 'MiB/s', digits: 0 },
    ],
    rows,
    notes: tls === null ? ['Without TLS: openssl is not installed.'] : [],
  };
}

async function measureBy(
  upstream: Upstream,
  targets: readonly Target[],
  bench: Bench,
  suffix: string,
): Promise<Row[]> {
  const { sizes, concurrency, throughput } = bench.profile;
  await using stack = new AsyncDisposableStack();
  const check = (running: RunningTarget): Promise<void> => checkUpload(running, bench, CHECKED_BYTES);
  const all = await startAll(targets, upstream, stack, check);
  await warmUp(bench, all, 'upload');
  const rows: Row[] = [];
  for (const { label, bytes } of sizes) {
    bench.progress(`throughput: ${label}${suffix}`);
    const able = all.filter(({ target }) => bytes <= target.maxFileBytes);
    const until = { seconds: throughput.seconds };
    const series = await alternate(bench, able, throughput.rounds, (running) =>
      runLoad(running, bench, { kind: 'upload', fileBytes: bytes, concurrency, until }),
    );
    const perGib = ({ cpuSeconds, requests }: Sample): number => cpuSeconds / ((requests * bytes) / GIB);
    for (const one of series) {
      rows.push({
        target: one.running.target.name,
        load: `${label}${suffix}`,
        values: {
          cpuSecondsPerGib: spread(one, perGib),
          cpuMicroseconds: spread(one, ({ cpuSeconds, requests }) => (cpuSeconds / requests) * 1e6),
          ratio: ratio(one, series, perGib),
          mibPerSecond: spread(one, ({ requests, seconds }) => (requests * bytes) / MIB / seconds),
        },
      });
    }
  }
  return rows;
}
