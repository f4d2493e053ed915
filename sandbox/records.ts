import type { IncomingMessage } from 'node:http';
import type { FaultName } from './faults.ts';

/** One file of a request, as it arrived. */
export interface RecordedFile {
  field: string;
  name: string;
  /** The part's own Content-Type, empty when it had none. */
  contentType: string;
  size: number;
  /** Of the bytes so far; empty until the file or the connection ends. */
  sha256: string;
  complete: boolean;
}

/** One request, filled in while it arrives. */
export interface RecordedRequest {
  service: 'leadway' | 'storage';
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string | string[] | undefined>;
  startedAt: number;
  bodyBytes: number;
  /** All of it arrived: the final chunk or full Content-Length and, for multipart, the closing boundary. */
  complete: boolean;
  /** The connection ended before the body did. */
  aborted: boolean;
  /** The connection ended before a response was sent whole. */
  left: boolean;
  status: number | null;
  fields?: Record<string, string[]>;
  fieldOrder?: string[];
  files?: RecordedFile[];
  json?: unknown;
  fault: FaultName | null;
}

/** The ordered list of requests, and a way to wait for what it will say. */
export interface RecordBook {
  readonly requests: RecordedRequest[];
  open(service: RecordedRequest['service'], req: IncomingMessage): RecordedRequest;
  /** Tells those who wait that a record has changed. */
  changed(): void;
  waitFor(predicate: (requests: readonly RecordedRequest[]) => boolean, timeoutMs?: number): Promise<void>;
  clear(): void;
  /** Rejects those who still wait. */
  close(): void;
}

/** Long demos and benchmarks must not fill the memory with records. */
const MAX_RECORDS = 10_000;
const WAIT_MS = 20_000;

interface Waiter {
  check(): void;
  reject(error: Error): void;
}

function summary(requests: readonly RecordedRequest[]): string {
  const lines = requests
    .slice(-10)
    .map(
      (r) =>
        `  ${r.service} ${r.method} ${r.path.split('?')[0]} status=${r.status} bytes=${r.bodyBytes} ` +
        `complete=${r.complete} aborted=${r.aborted} left=${r.left} fault=${r.fault}`,
    );
  return lines.length === 0 ? '  no requests' : lines.join('\n');
}

/** Makes an empty book. */
export function createRecordBook(now: () => number): RecordBook {
  const requests: RecordedRequest[] = [];
  const waiters = new Set<Waiter>();
  const changed = () => {
    for (const waiter of [...waiters]) waiter.check();
  };
  return {
    requests,
    open(service, req) {
      const record: RecordedRequest = {
        service,
        method: req.method ?? '',
        path: req.url ?? '',
        headers: { ...req.headers },
        startedAt: now(),
        bodyBytes: 0,
        complete: false,
        aborted: false,
        left: false,
        status: null,
        fault: null,
      };
      requests.push(record);
      if (requests.length > MAX_RECORDS) requests.shift();
      changed();
      return record;
    },
    changed,
    waitFor(predicate, timeoutMs = WAIT_MS) {
      return new Promise((resolve, reject) => {
        const settle = (settled: () => void) => {
          clearTimeout(timer);
          waiters.delete(waiter);
          settled();
        };
        const waiter: Waiter = {
          check() {
            try {
              if (predicate(requests)) settle(resolve);
            } catch (error) {
              settle(() => reject(error));
            }
          },
          reject: (error) => settle(() => reject(error)),
        };
        const timer = setTimeout(
          () =>
            waiter.reject(
              new Error(`The sandbox waited ${timeoutMs} ms in vain; it has seen\n${summary(requests)}`),
            ),
          timeoutMs,
        );
        waiters.add(waiter);
        waiter.check();
      });
    },
    clear() {
      requests.length = 0;
      changed();
    },
    close() {
      for (const waiter of [...waiters]) waiter.reject(new Error('The sandbox was closed'));
    },
  };
}
