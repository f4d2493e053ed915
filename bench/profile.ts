import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import type { Bench } from './bench.ts';
import { carry } from './carry.ts';
import { checkUpload } from './check.ts';
import { RESULTS_FOLDER } from './results.ts';
import { startTarget } from './running-target.ts';
import { OURS, targetNamed } from './targets.ts';
import { warmUp } from './warm-up.ts';

/** A V8 CPU profile, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const TOP = 40;
/** Time in which nothing was to be done. */
const IDLE = new Set(['(idle)', '(program)']);

/** Profiles our server under load at the first of the sizes; the lines of a summary. */
export async function profileOurs(bench: Bench): Promise<string[]> {
  const { concurrency, sizes, throughput } = bench.effort;
  const [size] = sizes;
  if (size === undefined) throw new Error('nothing to profile');
  const folder = `${RESULTS_FOLDER}/profile-tmp`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  {
    const nodeOptions = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    await using running = await startTarget(targetNamed(OURS), bench.upstreamPort, { nodeOptions });
    await checkUpload(running, bench, size.bytes);
    await warmUp(bench, [running], 'upload');
    const until = { seconds: throughput.rounds * throughput.seconds };
    await carry(running, bench, { kind: 'upload', fileBytes: size.bytes, concurrency, until });
  } // written as the process ends
  const [written] = readdirSync(folder);
  if (written === undefined) throw new Error('no profile was written');
  const path = `${RESULTS_FOLDER}/${size.label}.cpuprofile`;
  renameSync(`${folder}/${written}`, path);
  return [...summarise(JSON.parse(readFileSync(path, 'utf8')) as CpuProfile), '', `wrote ${path}`];
}

/** Functions by the time that was spent in themselves, in per cent of the time that was not idle. */
function summarise({ nodes, samples, timeDeltas }: CpuProfile): string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.replace(/^file:\/\/.*\/(?=(server|middleware|routes|node_modules|bench)\/)/, '');
      return [id, `${functionName || '(anonymous)'} ${file}${url && `:${lineNumber + 1}`}`.trim()];
    }),
  );
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '';
    if (IDLE.has(name)) return;
    const delta = timeDeltas[index] ?? 0;
    total += delta;
    times.set(name, (times.get(name) ?? 0) + delta);
  });
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
}
