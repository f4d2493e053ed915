import { appError } from '../errors/app-error.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { ScanOutcome } from '../observability/observer.ts';
import type { FileObserver, ObserveFile } from '../uploads/incoming-file.ts';
import { type ClamavAddress, ClamdStream, formatClamavAddress, ping, type ScanResult } from './clamd.ts';

/** Options of {@link createScanner}. */
export interface ScannerOptions {
  readonly address: ClamavAddress;
  /** What happens to files that can't be scanned: `allow` lets them pass and logs it. */
  readonly onError: 'reject' | 'allow';
  /** How long clamd may make no progress, in milliseconds. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** Called after each scan, with its duration in milliseconds. */
  readonly onScanned?: (outcome: ScanOutcome, ms: number) => void;
}

/** Scans files for malware while they are sent on. */
export interface Scanner {
  readonly observe: ObserveFile;
  /** Why files can't be scanned at the moment; null while they can. Asks clamd again in the background. */
  problem(): Notice | null;
}

/** Readiness probes come every few seconds, and each process asks once for all of them. */
const PING_EVERY_MS = 1_000;

/** Makes the scanner of a process. */
export function createScanner({ address, onError, timeoutMs, logger, onScanned }: ScannerOptions): Scanner {
  const where = formatClamavAddress(address);
  let state: 'unknown' | 'up' | 'down' = 'unknown';
  let reason = '';
  let lastPingMs = Number.NEGATIVE_INFINITY;

  const markDown = (err: unknown): void => {
    if (state !== 'down') {
      const effect = onError === 'reject' ? 'Uploads are rejected' : 'Files are not scanned';
      logger.error(
        { err },
        `clamd at ${where} does not scan. ${effect} until it does: check CLAMAV_URL and clamd`,
      );
    }
    state = 'down';
    reason = err instanceof Error ? err.message : String(err);
  };
  const markUp = (): void => {
    if (state === 'down') logger.info(`clamd at ${where} scans again`);
    state = 'up';
  };
  const refresh = (): void => {
    const now = performance.now();
    if (now - lastPingMs < PING_EVERY_MS) return;
    lastPingMs = now;
    ping(address).then(markUp, markDown);
  };
  refresh();

  /** @throws AppError */
  const assertClean = (name: string, result: ScanResult): void => {
    if (result.kind === 'clean') return;
    if (result.kind === 'infected') {
      logger.warn({ signature: result.signature }, 'clamd found malware in a file, which was rejected');
      const { signature } = result;
      throw appError('FILE_INFECTED', { params: { filename: name }, details: { filename: name, signature } });
    }
    if (onError === 'reject') {
      throw appError('SCAN_UNAVAILABLE', {
        message: 'SCAN_UNAVAILABLE.tooLarge',
        params: { filename: name },
        details: { filename: name },
        retryable: false,
      });
    }
    logger.warn('a file is over a limit of clamd and was let through without a complete scan');
  };

  return {
    observe({ name }): FileObserver {
      const started = performance.now();
      const stream = new ClamdStream(address, timeoutMs);
      return {
        write: (chunk) => stream.write(chunk),
        async end() {
          let result: ScanResult;
          try {
            result = await stream.end();
          } catch (error) {
            onScanned?.('failed', performance.now() - started);
            markDown(error);
            if (onError === 'reject') throw appError('SCAN_UNAVAILABLE', { cause: error });
            logger.warn({ err: error }, 'a file was let through without a scan');
            return;
          }
          onScanned?.(result.kind === 'over-limit' ? 'failed' : result.kind, performance.now() - started);
          markUp();
          assertClean(name, result);
        },
        destroy: () => stream.destroy(),
      };
    },
    problem() {
      refresh();
      if (state === 'up') return null;
      return state === 'down'
        ? {
            text: 'the malware scanner is down',
            detail: `clamd at ${where} does not scan (${reason}): check CLAMAV_URL and clamd`,
          }
        : {
            text: 'the malware scanner has not been reached yet',
            detail: `clamd at ${where} has not responded yet`,
          };
    },
  };
}
