/** Where the process is in its life. */
export type Phase = 'starting' | 'ready' | 'draining';

/** The process's phase, and what readiness depends on. */
export class Lifecycle {
  #phase: Phase = 'starting';
  readonly #checks: (() => string | null)[] = [];
  readonly #notices: (() => string | null)[] = [];

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
  addCheck(check: () => string | null): void {
    this.#checks.push(check);
  }

  /** Adds something that an operator should know but that does not keep requests away. */
  addNotice(notice: () => string | null): void {
    this.#notices.push(notice);
  }

  /** Why the process should get no requests; empty when it should. */
  reasons(): string[] {
    const own = this.#phase === 'ready' ? [] : [this.#phase];
    return [...own, ...ask(this.#checks)];
  }

  /** What an operator should know. */
  notices(): string[] {
    return ask(this.#notices);
  }
}

function ask(questions: readonly (() => string | null)[]): string[] {
  return questions.map((question) => question()).filter((answer) => answer !== null);
}
