import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../sandbox/index.ts';
import { settingsFor } from './sandbox-settings.ts';

/** What the server holds, after a full collection. */
export interface Measurement {
  readonly slots: number;
  readonly inFlight: number;
  readonly lingering: number;
  readonly connections: number;
  readonly descriptors: number;
  /** Heap and external memory. */
  readonly liveBytes: number;
  readonly residentBytes: number;
}

/** A server in its own process that can be asked what it holds. Linux only. */
export interface MeasuredServer extends AsyncDisposable {
  readonly url: string;
  measure(): Promise<Measurement>;
  /** Waits until nothing is in flight, and compares with `baseline`: 8 descriptors and 32 MiB may have come to it. */
  assertAtBaseline(baseline: Measurement): Promise<void>;
  /** Sends SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

const MAIN = fileURLToPath(new URL('./measured-server-main.ts', import.meta.url));
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning', '--expose-gc'];

/** How many descriptors may be open that were not before. */
const MORE_DESCRIPTORS = 8;

/** How long connections whose clients are gone may take to end. */
const SETTLE_MS = 5_000;

/** Starts a server with `sandbox` as its upstream. */
export async function startMeasuredServer(
  sandbox: Sandbox,
  env: Readonly<Record<string, string>> = {},
): Promise<MeasuredServer> {
  const child = fork(MAIN, {
    execArgv: NODE_OPTIONS,
    env: { ...settingsFor(sandbox), RATE_LIMIT_MAX: '1000000', ...env },
  });
  const exited = once(child, 'exit');
  const ask = async <T>(message: string): Promise<T> => {
    const reply = once(child, 'message');
    child.send(message);
    return ((await reply) as [T])[0];
  };
  const [url] = (await once(child, 'message')) as [string];
  const measure = () => ask<Measurement>('measure');
  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    return ((await exited) as [number | null])[0];
  };
  return {
    url,
    measure,
    async assertAtBaseline(baseline) {
      const deadline = performance.now() + SETTLE_MS;
      let now = await measure();
      // Idle connections to the upstream close after four seconds.
      const isSettled = (): boolean =>
        now.connections === 0 && now.descriptors - baseline.descriptors <= MORE_DESCRIPTORS;
      while (!isSettled() && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        now = await measure();
      }
      const { slots, inFlight, lingering, connections } = now;
      assert.deepEqual(
        { slots, inFlight, lingering, connections },
        { slots: 0, inFlight: 0, lingering: 0, connections: 0 },
      );
      const descriptors = now.descriptors - baseline.descriptors;
      assert(descriptors <= MORE_DESCRIPTORS, `${descriptors} more descriptors are open`);
      const liveMiB = (now.liveBytes - baseline.liveBytes) / 1024 / 1024;
      assert(
        liveMiB <= 32,
        `${liveMiB.toFixed(1)} MiB more are alive (RSS ${now.residentBytes}, was ${baseline.residentBytes})`,
      );
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
