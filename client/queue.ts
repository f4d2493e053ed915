import { abortable } from './abortable.ts';

/** Runs a bounded number of tasks at once, in the order in which they were added. */
export interface Queue {
  run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
  pause(): void;
  resume(): void;
}

/** Creates a queue that runs at most `concurrency` tasks at once. */
export function createQueue(concurrency: number): Queue {
  let waiting: (() => void)[] = [];
  let running = 0;
  let isPaused = false;

  function startNext(): void {
    while (!isPaused && running < concurrency && waiting.length) {
      running++;
      waiting.shift()?.();
    }
  }

  return {
    async run(task, signal) {
      await abortable<void>(signal, (resolve) => {
        waiting.push(resolve);
        startNext();
        return () => {
          waiting = waiting.filter((start) => start !== resolve);
        };
      });
      try {
        return await task();
      } finally {
        running--;
        startNext();
      }
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      startNext();
    },
  };
}
