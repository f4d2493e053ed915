import type { Effort } from './effort.ts';
import type { UpstreamCommand, UpstreamReport } from './messages.ts';
import { nodeCommand, Part } from './processes.ts';
import { BASELINE, OURS, type Target } from './targets.ts';

/** What every measurement works with: the processes around the targets, and what was asked for. */
export interface Bench {
  readonly load: Part;
  readonly upstream: Part;
  readonly upstreamPort: number;
  readonly targets: readonly Target[];
  readonly effort: Effort;
  /** Tells whoever waits what is being done. */
  progress(text: string): void;
}

/** The processes around the targets. */
export type Surroundings = Pick<Bench, 'load' | 'upstream' | 'upstreamPort'>;

/** Starts the load generator and the upstream, on the cores that are not measured. */
export async function startSurroundings(): Promise<Surroundings> {
  const load = new Part('other', nodeCommand('bench/load/main.ts'), {}, true);
  const upstream = new Part('other', nodeCommand('bench/upstream/main.ts'), {}, true);
  const listening = await upstream.next<UpstreamReport>();
  if (listening.kind !== 'listening') throw new Error('the upstream does not listen');
  return { load, upstream, upstreamPort: listening.port };
}

/** What the upstream got since it was last asked. */
export async function countUpstream(
  upstream: Part,
): Promise<Extract<UpstreamReport, { readonly kind: 'counted' }>> {
  const counted = await tellUpstream(upstream, { command: 'count' });
  if (counted.kind !== 'counted') throw new Error('the upstream did not count');
  return counted;
}

/** Gives the upstream a command; resolves to its answer. */
export function tellUpstream(upstream: Part, command: UpstreamCommand): Promise<UpstreamReport> {
  return upstream.ask<UpstreamReport>(command);
}

/** The targets of a measurement that takes long for each: in a quick run, the bare pipe and ours. */
export function fewTargets({ targets, effort }: Bench): readonly Target[] {
  return effort.isQuick ? targets.filter(({ name }) => name === BASELINE || name === OURS) : targets;
}
