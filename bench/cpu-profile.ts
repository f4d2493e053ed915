import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { checkInitiate, checkUpload } from './check.ts';
import type { RequestKind } from './form.ts';
import { RESULTS_FOLDER } from './report.ts';
import { type Bench, runLoad, warmUp } from './runner.ts';
import { OURS, ourServer, startTarget } from './targets.ts';

/** A V8 CPU profile, as far as it is read here. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

const TOP = 40;
const IDLE = new Set(['(idle)', '(program)']);

/**
 * Profiles the sources of our server under load, at the first of the sizes.
 *
 * @returns a summary: where time was spent, and in which file or package it was spent or caused.
 */
export async function profileCpu(bench: Bench, kind: RequestKind): Promise<string[]> {
  const { concurrency, sizes, throughput } = bench.profile;
  const [size] = sizes;
  if (size === undefined) throw new Error('nothing to profile');
  const folder = `${RESULTS_FOLDER}/profile-tmp`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  {
    // The sources, because a profile of the bundle names no files.
    const args = ['--cpu-prof', `--cpu-prof-dir=${folder}`, 'server/main.ts'];
    await using running = await startTarget(ourServer(OURS, OURS, args), bench.plain);
    await (kind === 'upload' ? checkUpload(running, bench, size.bytes) : checkInitiate(running, bench));
    await warmUp(bench, [running], kind);
    const until = { seconds: throughput.rounds * throughput.seconds };
    await runLoad(running, bench, { kind, fileBytes: size.bytes, concurrency, until });
  } // written when the process ends
  const [written] = readdirSync(folder);
  if (written === undefined) throw new Error('no profile was written');
  const path = `${RESULTS_FOLDER}/${kind === 'upload' ? size.label : kind}.cpuprofile`;
  renameSync(`${folder}/${written}`, path);
  rmSync(folder, { recursive: true });
  return [...summarise(JSON.parse(readFileSync(path, 'utf8')) as CpuProfile), '', `wrote ${path}`];
}

function summarise({ nodes, samples, timeDeltas }: CpuProfile): string[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const byFunction = new Map<string, number>();
  const byFile = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const node = byId.get(id);
    if (node === undefined || IDLE.has(node.callFrame.functionName)) return;
    const delta = timeDeltas[index] ?? 0;
    total += delta;
    const { functionName, url, lineNumber } = node.callFrame;
    add(byFunction, `${functionName || '(anonymous)'} ${nameOf(url)}${url && `:${lineNumber + 1}`}`, delta);
    add(byFile, fileOf(node, byId, parents), delta);
  });
  const lines = (times: ReadonlyMap<string, number>): string[] =>
    [...times]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, TOP)
      .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
  return [
    'Functions, by their own time',
    ...lines(byFunction),
    '',
    'Files and packages, with the time of Node and native code that they call',
    ...lines(byFile),
  ];
}

/** The file or package that runs, or that called Node's code which runs. */
function fileOf(
  node: ProfileNode,
  byId: ReadonlyMap<number, ProfileNode>,
  parents: ReadonlyMap<number, number>,
): string {
  for (let one: ProfileNode | undefined = node; one !== undefined; one = byId.get(parents.get(one.id) ?? 0)) {
    const { url } = one.callFrame;
    if (url !== '' && !url.startsWith('node:')) return nameOf(url);
  }
  return 'node';
}

function nameOf(url: string): string {
  const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return name ?? url.replace(/^file:\/\/.*\/(?=(server|middleware|routes)\/)/, '');
}

function add(times: Map<string, number>, key: string, time: number): void {
  times.set(key, (times.get(key) ?? 0) + time);
}
