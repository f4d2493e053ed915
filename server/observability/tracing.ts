import type { Agent, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { packageVersion } from '../assets.ts';
import type { AppContext } from '../context.ts';
import { addLogFields } from '../http/log-fields.ts';
import { http, https } from '../http/node-http.ts';
import type { ProxyFor } from '../http/outbound-proxy.ts';
import { requestIdOf } from '../http/request-id.ts';
import { createRouteLabels, methodLabel } from './labels.ts';
import type { EndedRequest, Observer } from './observer.ts';
import { TracingNotInstalled } from './tracing-packages.ts';
import { watchUpstreamRequests } from './upstream-requests.ts';

const NAME = 'leadway-bff';

/** How long a shutdown waits for the last spans. */
const FLUSH_MS = 2_000;

/** Traces of one server. */
export interface Tracing extends AsyncDisposable {
  readonly observer: Observer;
  /**
   * Begins the span of a request and calls `next` in its context.
   *
   * @param parent Whether its `traceparent` header may be believed.
   */
  run(req: IncomingMessage, parent: 'trusted' | 'untrusted', next: () => void): void;
}

/**
 * Sends spans of requests, checks, scans and upstream requests to `config.tracesUrl`. Nothing in a span is chosen by a client
 * but the request id, and no trace id leaves for Leadway.
 *
 * @throws TracingNotInstalled
 */
export async function startTracing(
  { config, logger, proxyFor }: Pick<AppContext, 'config' | 'logger' | 'proxyFor'>,
  url: URL,
): Promise<Tracing> {
  const { sdk, exporter, resources } = await loadSdk();
  const logProblem = logProblemsOnce(logger);
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': NAME, 'service.version': packageVersion() }))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor(
        new exporter.OTLPTraceExporter({ url: url.href, httpAgentOptions: () => createAgent(url, proxyFor) }),
      ),
    ],
  });
  provider.register(); // for the context manager and the W3C propagator
  const tracer = provider.getTracer(NAME, packageVersion());
  const routes = createRouteLabels(config);
  const spans = new WeakMap<IncomingMessage, Span>();

  const endRequest = ({ req, method, path, status, logFields }: EndedRequest): void => {
    const span = req === null ? undefined : spans.get(req);
    if (span === undefined) return;
    const route = routes.of(path, logFields);
    const { error, mode, locationId, bytes } = logFields;
    span.updateName(`${methodLabel(method)} ${route}`);
    span.setAttributes({
      'http.request.method': methodLabel(method),
      'http.route': route,
      'http.response.status_code': status,
      ...(error && { 'error.type': error.code }),
      ...(mode && { 'leadway_bff.mode': mode }),
      ...(locationId && { 'leadway_bff.location_id': locationId }),
      ...(bytes && { 'leadway_bff.bytes': bytes }),
    });
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
  const watch = watchUpstreamRequests(config, {
    requestStarted(endpoint, method) {
      const span = tracer.startSpan(`${method} ${endpoint}`, {
        kind: SpanKind.CLIENT,
        attributes: { 'http.request.method': method, 'leadway_bff.endpoint': endpoint },
      });
      return (status) => {
        if (status !== null) span.setAttribute('http.response.status_code', status);
        if (status === null || status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      };
    },
  });
  return {
    observer: {
      requestEnded: endRequest,
      checksEnded: (isAccepted, durationMs) =>
        addPastSpan(tracer, 'checks', durationMs, { 'leadway_bff.accepted': isAccepted }),
      scanEnded: (outcome, durationMs) =>
        addPastSpan(tracer, 'scan', durationMs, { 'leadway_bff.outcome': outcome }),
    },
    run(req, parent, next) {
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER }, parentContext(req, parent));
      span.setAttribute('leadway_bff.request_id', requestIdOf(req));
      spans.set(req, span);
      addLogFields(req, { traceId: span.spanContext().traceId });
      const own = trace.setSpan(ROOT_CONTEXT, span);
      // Events of the body come from Node's parser, outside of the context in which the request is handled.
      context.bind(own, req);
      context.with(own, next);
    },
    async [Symbol.asyncDispose]() {
      watch[Symbol.dispose]();
      await Promise.race([provider.shutdown().catch(logProblem), sleep(FLUSH_MS, undefined, { ref: false })]);
      trace.disable();
      context.disable();
      propagation.disable();
      diag.disable();
    },
  };
}

/** The packages are not dependencies: most servers have no traces, and they are larger than all of the server. */
async function loadSdk() {
  try {
    const [sdk, exporter, resources] = await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
    return { sdk, exporter, resources };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new TracingNotInstalled(error);
  }
}

/** Only a trusted proxy may continue a trace: others could choose what is sampled, and join traces that are not theirs. */
function parentContext({ headers }: IncomingMessage, parent: 'trusted' | 'untrusted'): Context {
  if (parent === 'untrusted') return ROOT_CONTEXT;
  const { traceparent, tracestate } = headers;
  return propagation.extract(ROOT_CONTEXT, { traceparent, tracestate });
}

function addPastSpan(
  tracer: Tracer,
  name: string,
  durationMs: number,
  attributes: Readonly<Record<string, string | boolean>>,
): void {
  const endTime = Date.now();
  tracer.startSpan(name, { startTime: endTime - durationMs, attributes }).end(endTime);
}

function createAgent(url: URL, proxyFor: ProxyFor): Agent {
  const proxy = proxyFor(url)?.url.reveal();
  const options = { keepAlive: true, ...(proxy && { proxyEnv: { http_proxy: proxy, https_proxy: proxy } }) };
  return url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
}

/** Logs the first of OpenTelemetry's errors: one line per batch would say no more. */
function logProblemsOnce(logger: AppContext['logger']): () => void {
  let isLogged = false;
  const log = (): void => {
    if (!isLogged)
      logger.warn('traces can’t be sent: check OTEL_EXPORTER_OTLP_ENDPOINT and whether the collector runs');
    isLogged = true;
  };
  const ignore = (): void => {};
  diag.setLogger(
    { error: log, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  return log;
}
