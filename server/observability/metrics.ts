import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AppContext } from '../context.ts';
import type { AppError } from '../errors/app-error.ts';
import { createRouteLabels, methodLabel, type UploadStep } from './labels.ts';
import type { EndedRequest, Observer, QuotaLeft } from './observer.ts';
import { watchUpstreamRequests } from './upstream-requests.ts';

const PREFIX = 'leadway_bff_';

/** Seconds. A small upload takes some milliseconds; a large one over a slow line up to an hour. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900];

const CLIENT_DISCONNECTED = 499;

/** The metrics of one server. */
export interface Metrics extends Disposable {
  readonly observer: Observer;
  readonly contentType: string;
  /** In Prometheus' text format. */
  render(): Promise<string>;
}

type Parts = Pick<
  AppContext,
  'config' | 'lifecycle' | 'lingering' | 'sharedStore' | 'slots' | 'tokenHealth' | 'observers'
>;

/** Makes the metrics of `context`. docs/monitoring.md explains each of them. */
export function createMetrics({ config, lingering, sharedStore, slots, tokenHealth }: Parts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const routes = createRouteLabels(config);

  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name: PREFIX + name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]): Histogram<L> =>
    new Histogram({ name: PREFIX + name, help, labelNames, registers, buckets: BUCKETS });
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: PREFIX + name, help, registers, collect });
  };
  const gaugeBy = <L extends string>(
    name: string,
    help: string,
    labelName: L,
    read: () => Readonly<Record<string, number>>,
  ): void => {
    const collect = function (this: Gauge): void {
      this.reset();
      for (const [value, number] of Object.entries(read())) this.labels(value).set(number);
    };
    new Gauge({ name: PREFIX + name, help, labelNames: [labelName], registers, collect });
  };

  const uploads = counter('uploads_total', 'Uploads by how they ended.', 'mode', 'outcome', 'code');
  const bytes = counter('upload_bytes_total', 'Bytes of files that arrived.', 'mode');
  const uploadSeconds = histogram('upload_duration_seconds', 'From request to response.', 'mode', 'outcome');
  const requests = counter('http_requests_total', 'Requests that have ended.', 'route', 'method', 'status');
  const requestSeconds = histogram('http_request_duration_seconds', 'From request to response.', 'route');
  const upstream = counter(
    'upstream_requests_total',
    'Requests to Leadway and others.',
    'endpoint',
    'status',
  );
  const upstreamSeconds = histogram(
    'upstream_request_duration_seconds',
    'From request to response.',
    'endpoint',
  );
  const limited = counter('rate_limited_total', 'Requests that were over a limit.', 'limit');
  const authFailures = counter('auth_failures_total', 'Requests rejected for who or where from.', 'reason');
  const scanSeconds = histogram('scan_duration_seconds', 'Malware scans of files.', 'outcome');
  const quota = new Quota();
  gauge('uploads_in_flight', 'Uploads that hold a slot.', () => slots.taken);
  gauge('upload_slots_max', 'MAX_CONCURRENT_UPLOADS.', () => config.uploads.maxConcurrent);
  gauge('lingering_connections', 'Connections open for the rest of a rejected body.', () => lingering.count);
  gaugeBy(
    'upstream_quota_remaining',
    'Calls that Leadway still allows; the least of all locations.',
    'window',
    () => quota.least(),
  );
  gaugeBy('token_health', '1 for the state that the Leadway tokens are in.', 'state', () => {
    const state = tokenHealth();
    return {
      ok: Number(state === 'ok'),
      rejected: Number(state === 'rejected'),
      unreadable: Number(state === 'unreadable'),
    };
  });
  // Without Redis there is nothing to be down.
  gauge('redis_up', '1 while Redis responds, or none is configured.', () =>
    Number(sharedStore?.isUp ?? true),
  );

  const countUpload = (step: UploadStep, { status, durationMs, logFields }: EndedRequest): void => {
    const { error, isRepeat = false } = logFields;
    if (isRepeat) return; // the first request was counted
    const mode =
      logFields.mode ?? (step === 'upload' ? 'undecided' : step === 'content' ? 'relay' : 'direct');
    const ended = outcomeLabel(step, status, mode);
    uploads.inc({ mode, outcome: ended, code: error?.code ?? 'none' });
    uploadSeconds.observe({ mode, outcome: ended }, durationMs / 1000);
    if (logFields.bytes) bytes.inc({ mode }, logFields.bytes);
  };
  const observer: Observer = {
    requestEnded(request) {
      const { method, path, status, durationMs, logFields } = request;
      const route = routes.of(path, logFields);
      requests.inc({ route, method: methodLabel(method), status });
      requestSeconds.observe({ route }, durationMs / 1000);
      const step = routes.uploadStep(method, route);
      if (step !== null) countUpload(step, request);
      const limit = limitLabel(logFields);
      if (limit !== null) limited.inc({ limit });
      const reason = logFields.error === undefined ? null : reasonLabel(logFields.error);
      if (reason !== null) authFailures.inc({ reason });
    },
    quotaUpdated: (locationId, left) => quota.update(locationId, left),
    scanEnded: (outcome, durationMs) => scanSeconds.observe({ outcome }, durationMs / 1000),
  };
  const watch = watchUpstreamRequests(config, {
    requestStarted(endpoint) {
      const startedAt = performance.now();
      return (status) => {
        upstream.inc({ endpoint, status: status ?? 'none' });
        if (status !== null) upstreamSeconds.observe({ endpoint }, (performance.now() - startedAt) / 1000);
      };
    },
  });
  return {
    observer,
    contentType: registry.contentType,
    render: () => registry.metrics(),
    [Symbol.dispose]() {
      watch[Symbol.dispose]();
      registry.clear();
    },
  };
}

/** Direct uploads and files on their way to storage are steps of an upload that is `ok` when it is completed. */
function outcomeLabel(step: UploadStep, status: number, mode: string): string {
  if (status === CLIENT_DISCONNECTED) return 'disconnected';
  if (status >= 500) return 'failed';
  if (status >= 400) return 'rejected';
  if (step === 'content') return 'stored';
  return step === 'initiate' || (step === 'upload' && mode === 'direct') ? 'initiated' : 'ok';
}

function limitLabel({ error, limit }: EndedRequest['logFields']): string | null {
  switch (error?.code) {
    case 'RATE_LIMITED':
      return limit ?? 'requests';
    case 'TOO_MANY_UPLOADS':
      return 'uploads_of_client';
    case 'BUSY':
      return 'uploads';
    case 'UPSTREAM_BUDGET':
      return 'upstream';
    default:
      return null;
  }
}

function reasonLabel({ code, options }: AppError): string | null {
  switch (code) {
    case 'UNAUTHENTICATED':
      return options.headers?.['WWW-Authenticate']?.includes('invalid_token') === true
        ? 'invalid'
        : 'missing';
    case 'ORIGIN_NOT_ALLOWED':
      return 'origin';
    case 'LOCATION_NOT_ALLOWED':
      return 'location';
    case 'TICKET_INVALID':
      return 'ticket';
    default:
      return null;
  }
}

/** What is left of Leadway's limits. There is no label for locations, so the one with the least counts. */
class Quota {
  readonly #left = new Map<string, QuotaLeft & { readonly at: number }>();

  update(locationId: string, left: QuotaLeft): void {
    this.#left.set(locationId, { ...left, at: performance.now() });
  }

  least(): Readonly<Record<string, number>> {
    const now = performance.now();
    const all = [...this.#left.values()];
    // After an interval without a call, all of it is available again.
    const interval = all.filter(({ at, intervalMs }) => now - at < intervalMs).map((left) => left.interval);
    return {
      ...leastOf('interval', interval),
      ...leastOf(
        'day',
        all.map(({ day }) => day),
      ),
    };
  }
}

function leastOf(window: string, numbers: readonly (number | null)[]): Readonly<Record<string, number>> {
  const known = numbers.filter((number) => number !== null);
  return known.length === 0 ? {} : { [window]: Math.min(...known) };
}
