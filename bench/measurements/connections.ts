import type { Bench } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkUpload } from '../check.ts';
import { atMost, type Finding, type Row } from '../finding.ts';
import type { IdleCommand } from '../messages.ts';
import { alternate, type Contender, createContender, picked } from '../rounds.ts';
import { type RunningTarget, startTarget } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS, targetNamed } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const FILE_BYTES = 100 * 1024;
/** What counts as growth: less than this is noise. */
const MAX_GROWTH = 1.1;

/** Whether connections that are open and idle make uploads dearer. */
export async function measureConnections(bench: Bench): Promise<Finding> {
  const { effort, upstreamPort, load } = bench;
  const { rounds, seconds, counts } = effort.connections;
  const burden: Burden = {
    kind: 'upload',
    fileBytes: FILE_BYTES,
    concurrency: effort.concurrency,
    until: { seconds },
  };
  await using running = await startTarget(targetNamed(OURS), upstreamPort);
  await checkUpload(running, bench, FILE_BYTES);
  bench.progress('connections: warm-up');
  await warmUp(bench, [running], 'upload');
  bench.progress('connections');
  const idle = new Map<RunningTarget, number>();
  const contenders: Contender<Sample>[] = counts.map((count) => {
    const withIdle = { ...running }; // the same processes, told apart by how many connections idle
    idle.set(withIdle, count);
    return createContender(withIdle);
  });
  await alternate(contenders, rounds, async (withIdle) => {
    const connections = idle.get(withIdle) ?? 0;
    const command: IdleCommand = { command: 'idle', port: running.port, path: '/healthz', connections };
    const { failure } = await load.ask<{ failure?: string }>(command);
    if (failure !== undefined) throw new Error(`${connections} idle connections: ${failure}`);
    return carry(withIdle, bench, burden);
  });
  await load.ask({ command: 'idle', port: running.port, path: '/healthz', connections: 0 });
  const [fewest] = contenders;
  return {
    name: 'connections',
    title: 'Idle connections',
    method: `This server; 100 KiB on ${effort.concurrency} connections, while others are open that have done one request.`,
    variantColumn: 'idle connections',
    columns: ['CPU ms/upload', `times that with ${counts[0]}`],
    rows: contenders.map((contender, index) => {
      const isLast = index === contenders.length - 1;
      return toRow(String(counts[index]), contender, fewest ?? contender, isLast);
    }),
    notes: [],
  };
}

function toRow(
  connections: string,
  contender: Contender<Sample>,
  fewest: Contender<Sample>,
  isHeld: boolean,
): Row {
  const cost = ({ cpuSeconds, requests }: Sample): number => (cpuSeconds / requests) * 1e3;
  const cpuMs = spreadOf(picked(contender, cost));
  const growth = spreadOf(
    contender.results.flatMap((result, round) => {
      const compared = fewest.results[round] ?? null;
      return result === null || compared === null ? [] : [cost(result) / cost(compared)];
    }),
  );
  return {
    target: OURS,
    variant: connections,
    cells: [formatSpread(cpuMs), formatSpread(growth)],
    verdicts: isHeld ? [atMost('growth', growth.median, MAX_GROWTH, ' ×')] : [],
    values: { cpuMs, growth },
  };
}
