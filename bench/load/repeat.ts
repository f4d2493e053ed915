import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult, RepeatCommand } from '../messages.ts';
import { assertOk, Caller } from './caller.ts';
import { requestBytes } from './request-bytes.ts';

/** Sends one request after the other on each connection, for a time or a number of them. */
export async function repeat(command: RepeatCommand): Promise<LoadResult> {
  const { head, body } = requestBytes(command);
  const times: number[] = [];
  const { until } = command;
  let left = 'requests' in until ? until.requests : Number.POSITIVE_INFINITY;
  let failure: string | null = null;
  const callers = await Promise.all(
    Array.from({ length: command.concurrency }, () => Caller.connect(command.port)),
  );
  const startedAt = performance.now();
  const endsAt = 'seconds' in until ? startedAt + until.seconds * 1000 : Number.POSITIVE_INFINITY;
  let dueAt = startedAt;
  const untilDue = async (): Promise<void> => {
    if (command.perSecond === undefined) return;
    const waitMs = dueAt - performance.now();
    dueAt += 1000 / command.perSecond;
    if (waitMs > 0) await sleep(waitMs);
  };
  // Whatever was begun is finished, so that what it cost and what it carried are both counted.
  const mayBegin = (): boolean => failure === null && left-- > 0 && performance.now() < endsAt;
  await Promise.all(
    callers.map(async (caller) => {
      using sender = caller;
      try {
        while (mayBegin()) {
          await untilDue();
          const begunAt = performance.now();
          assertOk(await sender.exchange(head, body));
          times.push(performance.now() - begunAt);
        }
      } catch (error) {
        failure ??= String(error);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  times.sort((a, b) => a - b);
  return {
    requests: times.length,
    seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    failure,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
