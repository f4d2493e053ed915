/** Where the process is in its life. */
export type Phase = 'starting' | 'ready' | 'draining';

/** The process's phase, and what readiness depends on. */
export class Lifecycle {
  #phase: Phase = 'starting';
  readonly #checks = new Map<string, () => string | null>();

  get phase(): Phase {
    return this.#phase;
  }

  /** Requests are welcome from now on. */
  markReady(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** New requests are refused from now on; those under way go on. */
  markDraining(): void {
    this.#phase = 'draining';
  }

  /** Adds something that readiness depends on; `check` gives the reason why it is not ready, or null. */
  addCheck(name: string, check: () => string | null): void {
    this.#checks.set(name, check);
  }

  /** Why the process should get no requests; empty when it should. */
  reasons(): string[] {
    const own = this.#phase === 'ready' ? [] : [this.#phase];
    const others = [...this.#checks.values()].map((check) => check()).filter((reason) => reason !== null);
    return [...own, ...others];
  }
}
