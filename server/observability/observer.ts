import type { IncomingMessage } from 'node:http';
import type { LogFields } from '../http/log-fields.ts';

/** A request whose response was sent, or whose client has disconnected. */
export interface EndedRequest {
  /** The request itself; null for one that Node's parser rejected. */
  readonly req: IncomingMessage | null;
  readonly method: string;
  /** Without the query; as the client wrote it. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly logFields: LogFields;
}

/** How many calls a location has left, as Leadway's last response said; null if it did not. */
export interface QuotaLeft {
  readonly interval: number | null;
  readonly intervalMs: number;
  readonly day: number | null;
}

/** Watches what the server does. */
export interface Observer {
  requestEnded?(request: EndedRequest): void;
  /** The leading bytes of a file were checked. */
  checksEnded?(isAccepted: boolean, durationMs: number): void;
  quotaUpdated?(locationId: string, left: QuotaLeft): void;
  /** @param outcome `clean`, `infected` or `failed`. */
  scanEnded?(outcome: ScanOutcome, durationMs: number): void;
}

export type ScanOutcome = 'clean' | 'infected' | 'failed';

/** Passes what happens on to its observers. Without any, which is the default, it costs nothing. */
export class Observers implements Required<Observer> {
  readonly #observers: Observer[] = [];

  /** No one observes, so nothing has to be computed. */
  get isEmpty(): boolean {
    return this.#observers.length === 0;
  }

  add(observer: Observer): void {
    this.#observers.push(observer);
  }

  requestEnded(request: EndedRequest): void {
    for (const observer of this.#observers) observer.requestEnded?.(request);
  }

  checksEnded(isAccepted: boolean, durationMs: number): void {
    for (const observer of this.#observers) observer.checksEnded?.(isAccepted, durationMs);
  }

  quotaUpdated(locationId: string, left: QuotaLeft): void {
    for (const observer of this.#observers) observer.quotaUpdated?.(locationId, left);
  }

  scanEnded(outcome: ScanOutcome, durationMs: number): void {
    for (const observer of this.#observers) observer.scanEnded?.(outcome, durationMs);
  }
}
