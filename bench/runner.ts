import { setTimeout as sleep } from 'node:timers/promises';
import { type Authority, createAuthority } from '../test/helpers/certificates.ts';
import type { RepeatCommand, RepeatResult } from './load.ts';
import { has, usageOf } from './machine.ts';
import type { Profile } from './options.ts';
import { Program } from './processes.ts';
import type { Spread } from './report.ts';
import { BASELINE, OURS, type RunningTarget, startTarget, type Target, type Upstream } from './targets.ts';
import type { Counted, UpstreamCommand, UpstreamReport } from './upstream.ts';

/** What every measurement works with. */
export interface Bench {
  readonly load: Program;
  readonly upstream: Program;
  readonly upstreamPort: number;
  readonly plain: Upstream;
  /** The same upstream by TLS; null without openssl. */
  readonly tls: Upstream | null;
  readonly targets: readonly Target[];
  readonly profile: Profile;
  /** Shows on the terminal what is being done. */
  progress(text: string): void;
}

/** The processes around the targets. */
export type Surroundings = Pick<Bench, 'load' | 'upstream' | 'upstreamPort' | 'plain' | 'tls'> &
  AsyncDisposable;

/** A load for a target. */
export type Load = Pick<RepeatCommand, 'kind' | 'fileBytes' | 'concurrency' | 'until' | 'perSecond' | 'slow'>;

/** One target under one load. */
export interface Sample {
  readonly requests: number;
  readonly seconds: number;
  /** Of the target's process tree. */
  readonly cpuSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The results of a target, round by round. */
export interface Series<Result> {
  readonly running: RunningTarget;
  readonly results: Result[];
}

/** Form, fields and chunk sizes around the content of a file. */
const MAX_OVERHEAD_BYTES = 4096;
const SMALL_BYTES = 100 * 1024;
/** Windows whose cost differs by less than this are steady. */
const STEADY = 0.04;
const MIN_WINDOWS = 4;
const MAX_WINDOWS = 25;
/** A process that has been idle for half a minute is measurably slower at first. */
const MAX_IDLE_MS = 10_000;

/** Starts load generator and upstream on the cores that are not measured. */
export async function startSurroundings(): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack();
  const authority: Authority | null = has('openssl') ? stack.use(createAuthority()) : null;
  const certificate = authority?.issue('localhost');
  const env = certificate && { TLS_KEY: `${certificate.key}`, TLS_CERT: `${certificate.cert}` };
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const load = stack.use(new Program('other', [...node, 'bench/load.ts'], {}, true));
  const upstream = stack.use(new Program('other', [...node, 'bench/upstream.ts'], env ?? {}, true));
  const listening = await upstream.next<UpstreamReport>();
  if (listening.kind !== 'listening') throw new Error('the upstream does not listen');
  const { port, tlsPort } = listening;
  const owned = stack.move();
  return {
    load,
    upstream,
    upstreamPort: port,
    plain: { origin: `http://127.0.0.1:${port}`, authorityFile: null },
    tls: authority && { origin: `https://localhost:${tlsPort}`, authorityFile: authority.file },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What the upstream has received since the last count. */
export function countUpstream({ upstream }: Pick<Bench, 'upstream'>): Promise<Counted> {
  return upstream.ask<Counted>({ command: 'count' } satisfies UpstreamCommand);
}

/** The baseline and ours in a quick run, all of them otherwise. */
export function fewTargets({ targets, profile }: Bench): readonly Target[] {
  return profile.isQuick ? targets.filter(({ name }) => name === BASELINE || name === OURS) : targets;
}

/** Starts and checks targets; the stack ends them. */
export async function startAll(
  targets: readonly Target[],
  upstream: Upstream,
  stack: AsyncDisposableStack,
  check: (running: RunningTarget) => Promise<void>,
): Promise<RunningTarget[]> {
  const all: RunningTarget[] = [];
  for (const target of targets) {
    const running = stack.use(await startTarget(target, upstream));
    await check(running);
    all.push(running);
  }
  return all;
}

const lastLoadAt = new WeakMap<RunningTarget, number>();

/**
 * Runs one load.
 *
 * @throws Error when a response was not 200 or a request did not reach the upstream whole.
 */
export async function runLoad(running: RunningTarget, bench: Bench, load: Load): Promise<Sample> {
  const { port, target, pids } = running;
  const path = load.kind === 'upload' ? target.path : `${target.path}/initiate`;
  await countUpstream(bench);
  const before = usageOf(pids).cpuSeconds;
  const command: RepeatCommand = { command: 'repeat', port, path, ...load };
  const { failure, ...result } = await bench.load.ask<RepeatResult>(command);
  await sleep(50); // work after the last response belongs to it
  const cpuSeconds = usageOf(pids).cpuSeconds - before;
  lastLoadAt.set(running, performance.now());
  if (failure !== null) throw new Error(`${target.name}: ${failure}`);
  const counted = await countUpstream(bench);
  const extra = counted.bodyBytes - (load.kind === 'upload' ? result.requests * load.fileBytes : 0);
  if (counted.requests !== result.requests || extra < 0 || extra > result.requests * MAX_OVERHEAD_BYTES) {
    throw new Error(`${target.name}: ${counted.requests} of ${result.requests} arrived, ${extra} bytes over`);
  }
  return { ...result, cpuSeconds };
}

/**
 * Sends small requests until the target is warm: until the CPU per request of three successive windows differs by a few
 * per cent. Our server needs about ten thousand uploads for that.
 */
export async function warmUp(bench: Bench, all: readonly RunningTarget[], kind: Load['kind']): Promise<void> {
  for (const running of all) {
    bench.progress(`warming ${running.target.name}`);
    const costs: number[] = [];
    while (costs.length < MAX_WINDOWS && !isSteady(costs)) {
      const { cpuSeconds, requests } = await runSmall(running, bench, kind, bench.profile.warmUpSeconds);
      costs.push(cpuSeconds / requests);
    }
  }
}

function isSteady(costs: readonly number[]): boolean {
  if (costs.length < MIN_WINDOWS) return false;
  const last = costs.slice(-3);
  return Math.max(...last) <= Math.min(...last) * (1 + STEADY);
}

function runSmall(
  running: RunningTarget,
  bench: Bench,
  kind: Load['kind'],
  seconds: number,
): Promise<Sample> {
  const { concurrency } = bench.profile;
  return runLoad(running, bench, { kind, fileBytes: SMALL_BYTES, concurrency, until: { seconds } });
}

/** Measures all in alternated rounds; none is idle for long before its turn. */
export async function alternate<Result>(
  bench: Bench,
  all: readonly RunningTarget[],
  rounds: number,
  measure: (running: RunningTarget) => Promise<Result>,
  kind: Load['kind'] = 'upload',
): Promise<Series<Result>[]> {
  const series = all.map((running): Series<Result> => ({ running, results: [] }));
  for (let round = 0; round < rounds; round += 1) {
    // First and last change places, so that what the machine does meanwhile favours nobody.
    for (const { running, results } of round % 2 === 0 ? series : series.toReversed()) {
      const idleMs = performance.now() - (lastLoadAt.get(running) ?? Number.NEGATIVE_INFINITY);
      if (idleMs > MAX_IDLE_MS) await runSmall(running, bench, kind, bench.profile.warmUpSeconds / 2);
      results.push(await measure(running));
    }
  }
  return series;
}

/** The spread of `pick` over all rounds. */
export function spread<Result>({ results }: Series<Result>, pick: (result: Result) => number): Spread {
  return spreadOf(results.map(pick));
}

/** The spread of the ratios to the baseline of the same round; null for the baseline and without one. */
export function ratio<Result>(
  series: Series<Result>,
  all: readonly Series<Result>[],
  pick: (result: Result) => number,
): Spread | null {
  const baseline = all.find(({ running }) => running.target.name === BASELINE);
  if (baseline === undefined || baseline === series) return null;
  const pairs = series.results.map((result, round) => [result, baseline.results[round]] as const);
  return spreadOf(pairs.flatMap(([one, other]) => (other === undefined ? [] : [pick(one) / pick(other)])));
}

/** Median and range of `values`; not a number where there are none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}
