import { setTimeout as sleep } from 'node:timers/promises';
import { checkUpload } from './check.ts';
import type { PaceCommand, RepeatCommand } from './load.ts';
import { resetPeak, usageOf } from './machine.ts';
import type { Measured, Row } from './report.ts';
import { type Bench, fewTargets } from './runner.ts';
import { startTarget, type Target } from './targets.ts';
import type { UpstreamCommand } from './upstream.ts';

const MIB = 1024 ** 2;
const FILE_BYTES = 20_000_000;
const SLOW_CLIENTS = 50;
const FAST_CLIENTS = 16;
/** How fast a slow upstream reads from each connection. */
const UPSTREAM_BYTES_PER_SECOND = 8_000_000;
/** Until the process has settled after its start. */
const SETTLE_MS = 1500;

/** Growth of memory with slow clients, and with fast clients and a slow upstream. */
export async function measureMemory(bench: Bench): Promise<Measured> {
  const { bytesPerSecond, filesPerClient } = bench.profile.memory;
  const upload = { kind: 'upload', fileBytes: FILE_BYTES } as const;
  const loads = [
    {
      label: `${SLOW_CLIENTS} slow uploads of 20 MB`,
      upstreamBytesPerSecond: null,
      command: { command: 'pace', ...upload, concurrency: SLOW_CLIENTS, bytesPerSecond },
    },
    {
      label: `${FAST_CLIENTS} fast clients, upstream at 8 MB/s each`,
      upstreamBytesPerSecond: UPSTREAM_BYTES_PER_SECOND,
      command: {
        command: 'repeat',
        ...upload,
        concurrency: FAST_CLIENTS,
        until: { requests: FAST_CLIENTS * filesPerClient },
      },
    },
  ] as const;
  const rows: Row[] = [];
  for (const { label, upstreamBytesPerSecond, command } of loads) {
    for (const target of fewTargets(bench)) {
      bench.progress(`memory: ${target.name}, ${label}`);
      rows.push(await measurePeak(bench, target, label, upstreamBytesPerSecond, command));
    }
  }
  return {
    title: 'Memory',
    method: `Resident memory of the processes, by the kernel's mark of the peak, over what it was when idle. Slow clients send ${bytesPerSecond / 1e6} MB/s each.`,
    columns: [
      { value: 'idleMib', title: 'idle MiB', digits: 0 },
      { value: 'peakMib', title: 'peak MiB', digits: 0 },
      { value: 'growthMib', title: 'growth MiB', digits: 0 },
    ],
    rows,
    notes: [],
  };
}

async function measurePeak(
  bench: Bench,
  target: Target,
  label: string,
  bytesPerSecond: number | null,
  command: Omit<PaceCommand, 'port' | 'path'> | Omit<RepeatCommand, 'port' | 'path'>,
): Promise<Row> {
  const { load, upstream } = bench;
  const pace = (limit: number | null): Promise<unknown> =>
    upstream.ask({ command: 'pace', bytesPerSecond: limit } satisfies UpstreamCommand);
  await using running = await startTarget(target, bench.plain);
  await checkUpload(running, bench, 1_000_000);
  await pace(bytesPerSecond);
  await sleep(SETTLE_MS);
  const idleMib = usageOf(running.pids).residentBytes / MIB;
  resetPeak(running.pids);
  const { port } = running;
  const { failure } = await load.ask<{ failure: string | null }>({ ...command, port, path: target.path });
  await pace(null);
  if (failure !== null) throw new Error(`${target.name}, ${label}: ${failure}`);
  const peakMib = usageOf(running.pids).peakBytes / MIB;
  return { target: target.name, load: label, values: { idleMib, peakMib, growthMib: peakMib - idleMib } };
}
