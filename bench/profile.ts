import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { checkTarget } from './check.ts';
import type { Surroundings } from './compare.ts';
import type { LoadResult } from './messages.ts';
import type { Options } from './options.ts';
import { RESULTS_FOLDER } from './report.ts';
import { OURS, startTarget, TARGETS } from './targets.ts';

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
export async function profileOurs(surroundings: Surroundings, options: Options): Promise<string[]> {
  const { load, upstream, upstreamPort } = surroundings;
  const { concurrency, roundBytes, rounds } = options;
  const [size] = options.sizes;
  const target = TARGETS.find(({ name }) => name === OURS);
  if (size === undefined || target === undefined) throw new Error('nothing to profile');
  const folder = `${RESULTS_FOLDER}/profile-tmp`;
  mkdirSync(folder, { recursive: true });
  {
    await using running = await startTarget(target, upstreamPort, ['--cpu-prof', `--cpu-prof-dir=${folder}`]);
    await checkTarget(running, upstream, size.bytes);
    const uploads = Math.max(concurrency, Math.round((rounds * roundBytes) / size.bytes));
    const command = { port: running.port, path: target.path, fileBytes: size.bytes, uploads, concurrency };
    const result = await load.ask<LoadResult>(command);
    if (result.failure !== null) throw new Error(result.failure);
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
