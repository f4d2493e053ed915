/** What traces need beyond the package's own dependencies. */
export const TRACING_PACKAGES = [
  '@opentelemetry/exporter-trace-otlp-proto',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-node',
];

/** Thrown when traces are configured and those packages are not installed. */
export class TracingNotInstalled extends Error {
  override readonly name = 'TracingNotInstalled';

  constructor(cause: unknown) {
    super(
      `OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages for traces are not installed. Install them, or remove the setting:\nnpm install ${TRACING_PACKAGES.join(' ')}`,
      { cause },
    );
  }
}
