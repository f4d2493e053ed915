import { freePort } from '../../test/helpers/free-port.ts';
import type { Bench } from '../bench.ts';
import { type Burden, carry, type Sample } from '../carry.ts';
import { checkUpload } from '../check.ts';
import { atLeast, type Finding, type Row } from '../finding.ts';
import { writeNginxConfig } from '../peers/nginx.ts';
import { type Core, has, hasSpareCores, Part } from '../processes.ts';
import { alternate, type Contender, createContender, picked } from '../rounds.ts';
import { type RunningTarget, startTarget, untilAccepting } from '../running-target.ts';
import { formatSpread, spreadOf } from '../spread.ts';
import { OURS, targetNamed } from '../targets.ts';
import { warmUp } from '../warm-up.ts';

const FILE_BYTES = 100 * 1024;
const MIN_SCALE = 1.8;

/** Whether two processes behind nginx carry twice as much as one, each with as many connections as it. */
export async function measureScale(bench: Bench): Promise<Finding> {
  const { effort } = bench;
  const { rounds, seconds } = effort.scale;
  const contenders: Contender<Sample>[] = [];
  await using stack = new AsyncDisposableStack();
  if (has('nginx')) {
    contenders.push(createContender(await startBehindNginx(bench, stack, ['target'])));
    contenders.push(createContender(await startBehindNginx(bench, stack, ['target', 'second'])));
  }
  const burdenOf = (running: RunningTarget): Burden => ({
    kind: 'upload',
    fileBytes: FILE_BYTES,
    concurrency: serversOf(running) * effort.concurrency,
    until: { seconds },
  });
  bench.progress('scale: warm-up');
  await warmUp(
    bench,
    contenders.map(({ running }) => running),
    'upload',
  );
  bench.progress('scale');
  await alternate(contenders, rounds, (running) => carry(running, bench, burdenOf(running)));
  const [one, two] = contenders;
  return {
    name: 'scale',
    title: 'Two processes',
    method: `This server behind nginx, one process on one core and two on two; 100 KiB on ${effort.concurrency} connections for each process. CPU is that of nginx and the processes together.`,
    variantColumn: 'processes',
    columns: ['CPU ms/upload', 'uploads/s', 'carries, times one'],
    rows: one === undefined || two === undefined ? [] : [toRow('1', one, one), toRow('2', two, one)],
    notes: notesOn(contenders),
  };
}

async function startBehindNginx(
  bench: Bench,
  stack: AsyncDisposableStack,
  cores: readonly Core[],
): Promise<RunningTarget> {
  const target = targetNamed(OURS);
  const processes: RunningTarget[] = [];
  for (const core of cores) {
    processes.push(stack.use(await startTarget(target, bench.upstreamPort, { core })));
  }
  const port = await freePort();
  const config = stack.use(
    writeNginxConfig({ port, backends: processes.map((one) => one.port), token: null }),
  );
  const nginx = stack.use(new Part(cores.length === 1 ? 'target' : 'both', config.command, {}, false));
  if (!(await untilAccepting(nginx, port))) throw new Error('nginx does not listen');
  const running: RunningTarget = {
    target,
    port,
    pids: [nginx.pid, ...processes.flatMap(({ pids }) => pids)],
    [Symbol.asyncDispose]: async () => {}, // the stack ends its parts
  };
  await checkUpload(running, bench, FILE_BYTES);
  return running;
}

/** All of its processes but nginx. */
function serversOf({ pids }: RunningTarget): number {
  return pids.length - 1;
}

function toRow(processes: '1' | '2', contender: Contender<Sample>, one: Contender<Sample>): Row {
  const cost = ({ cpuSeconds, requests }: Sample): number => (cpuSeconds / requests) * 1e3;
  const speed = ({ requests, seconds }: Sample): number => requests / seconds;
  const cpuMs = spreadOf(picked(contender, cost));
  const perSecond = spreadOf(picked(contender, speed));
  // Where load and upstream take a part of the two cores, speed says nothing; what an upload costs does.
  const scales = contender.results.flatMap((result, round) => {
    const compared = one.results[round] ?? null;
    if (result === null || compared === null) return [];
    const byCost = (Number(processes) * cost(compared)) / cost(result);
    return [hasSpareCores ? speed(result) / speed(compared) : byCost];
  });
  const scale = spreadOf(scales);
  return {
    target: OURS,
    variant: processes,
    cells: [formatSpread(cpuMs), perSecond.median.toFixed(0), processes === '1' ? '1' : formatSpread(scale)],
    verdicts: processes === '2' ? [atLeast('two', scale.median, MIN_SCALE, ' × one')] : [],
    values: { cpuMs, perSecond, scale },
  };
}

function notesOn(contenders: readonly Contender<Sample>[]): string[] {
  if (contenders.length === 0) return ['Not measured: nginx is not installed.'];
  if (hasSpareCores) return [];
  return [
    'Load and upstream need a part of the two cores here, so what two processes carry is reckoned from what an upload costs: twice the cores, divided by the growth of the cost.',
  ];
}
