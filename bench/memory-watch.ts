import { writeFileSync } from 'node:fs';
import { usageOf } from './usage.ts';

/** Watches how much memory a process has, from now until it goes out of use. */
export class MemoryWatch implements Disposable {
  readonly #pids: readonly number[];
  readonly #timer: NodeJS.Timeout;
  #mostBytes = 0;

  constructor(pids: readonly number[]) {
    this.#pids = pids;
    // Sets the kernel's mark of the most that was resident to what is resident now (proc_pid_clear_refs(5)).
    for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    this.#timer = setInterval(() => this.#poll(), 50);
  }

  /** The most that was resident so far, by what was seen and by the kernel's mark. */
  get mostBytes(): number {
    this.#poll();
    return Math.max(this.#mostBytes, usageOf(this.#pids).peakBytes);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #poll(): void {
    this.#mostBytes = Math.max(this.#mostBytes, usageOf(this.#pids).residentBytes);
  }
}
