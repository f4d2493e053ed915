import { abortable } from './abortable.ts';

/** Runs a bounded number of tasks at once, in the order in which they came. */
export interface Queue {
  run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
  pause(): void;
  resume(): void;
}

/** A queue that runs at most `concurrency` tasks at once. */
export function createQueue(concurrency: number): Queue {
  const waiting: (() => void)[] = [];
  let running = 0;
  let isPaused = false;

  function start(): void {
    while (!isPaused && running < concurrency && waiting.length) {
      running++;
      waiting.shift()?.();
    }
  }

  return {
    async run(task, signal) {
      await abortable<void>(signal, (resolve) => {
        waiting.push(resolve);
        start();
        return () => {
          const place = waiting.indexOf(resolve);
          if (place >= 0) waiting.splice(place, 1);
        };
      });
      try {
        return await task();
      } finally {
        running--;
        start();
      }
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      start();
    },
  };
}
