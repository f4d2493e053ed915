/**
 * `stopping`: no longer ready, but requests are still served. `draining`: new requests are rejected. `closing`: what is
 * still in flight is cut off.
 */
export type Phase = 'starting' | 'ready' | 'stopping' | 'draining' | 'closing';

const PHASES: readonly Phase[] = ['starting', 'ready', 'stopping', 'draining', 'closing'];

/** Something that an operator should know. */
export interface Notice {
  /** In general words: it is public. */
  readonly text: string;
  /** The same for the operator alone: which host, which location, why. */
  readonly detail: string;
}

type Check = () => Notice | null;

/** The process's phase, and what readiness depends on. */
export class Lifecycle {
  #phase: Phase = 'starting';
  readonly #checks: Check[] = [];
  readonly #notices: Check[] = [];

  get phase(): Phase {
    return this.#phase;
  }

  /** The server listens. */
  markReady(): void {
    this.#enter('ready');
  }

  /** The server is about to stop: load balancers should send requests elsewhere. */
  markStopping(): void {
    this.#enter('stopping');
  }

  /** New requests are rejected from now on; those in flight finish. */
  markDraining(): void {
    this.#enter('draining');
  }

  /** The grace is over: all connections are closed now. */
  markClosing(): void {
    this.#enter('closing');
  }

  /** Adds something that readiness depends on; `check` returns why the process is not ready. */
  addCheck(check: Check): void {
    this.#checks.push(check);
  }

  /** Adds something that an operator should know but that does not keep requests away. */
  addNotice(notice: Check): void {
    this.#notices.push(notice);
  }

  /** Why the process should get no requests; empty when it should. */
  reasons(): Notice[] {
    return [...this.#phaseReasons(), ...ask(this.#checks)];
  }

  /** What an operator should know. */
  notices(): Notice[] {
    return ask(this.#notices);
  }

  #enter(phase: Phase): void {
    if (PHASES.indexOf(phase) > PHASES.indexOf(this.#phase)) this.#phase = phase;
  }

  #phaseReasons(): Notice[] {
    if (this.#phase === 'ready') return [];
    const text = this.#phase === 'starting' ? 'starting' : 'draining';
    return [{ text, detail: text }];
  }
}

function ask(checks: readonly Check[]): Notice[] {
  return checks.map((check) => check()).filter((found) => found !== null);
}
