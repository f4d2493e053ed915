import { type Checks, isMalformed, report } from './checks.ts';
import type { Config } from './config.ts';
import { isLoopback } from './web-address.ts';

/**
 * The sizes of forwarding. The other two bend to FORWARD_MAX_BYTES where they are left to their defaults, so
 * that changing the one that matters is enough; what is written down and contradicts it is rejected.
 */
export function resolveForward(checks: Checks): Config['forward'] {
  const { values } = checks.environment;
  const maxBytes = values.FORWARD_MAX_BYTES;
  const holdBytes = Math.min(values.FORWARD_HOLD_BYTES, maxBytes);
  const fallbackMaxBytes = Math.max(values.FORWARD_FALLBACK_MAX_BYTES, maxBytes);
  checkAgainstMax(checks, 'FORWARD_HOLD_BYTES', 'most', holdBytes);
  checkAgainstMax(checks, 'FORWARD_FALLBACK_MAX_BYTES', 'least', fallbackMaxBytes);
  return { maxBytes, holdBytes, fallbackMaxBytes };
}

function checkAgainstMax(
  checks: Checks,
  name: 'FORWARD_HOLD_BYTES' | 'FORWARD_FALLBACK_MAX_BYTES',
  bound: 'most' | 'least',
  bent: number,
): void {
  const { given, values } = checks.environment;
  const came = values[name];
  if (!given.has(name) || came === bent) return;
  // A default stands where a malformed value came, and would be complained about in its stead.
  if (isMalformed(checks, name) || isMalformed(checks, 'FORWARD_MAX_BYTES')) return;
  const problem = `must be at ${bound} FORWARD_MAX_BYTES (${values.FORWARD_MAX_BYTES})`;
  report(checks, name, problem, { came: `${came}`, example: `${bent}` });
}

/** What an upload may be and how many there may be at once. */
export function resolveUploads(checks: Checks): Config['uploads'] {
  const { values, given } = checks.environment;
  const maxConcurrent = values.MAX_CONCURRENT_UPLOADS;
  const perClient = values.MAX_CONCURRENT_UPLOADS_PER_CALLER;
  if (given.has('MAX_CONCURRENT_UPLOADS_PER_CALLER') && perClient > maxConcurrent) {
    checks.warnings.push(
      `MAX_CONCURRENT_UPLOADS_PER_CALLER is ${perClient}, but MAX_CONCURRENT_UPLOADS allows ${maxConcurrent}`,
    );
  }
  return {
    maxFiles: values.MAX_FILES,
    defaultChannel: values.DEFAULT_CHANNEL,
    allowedExtensions: values.ALLOWED_TYPES,
    maxConcurrent,
    maxConcurrentPerClient: Math.min(perClient, maxConcurrent),
    idleTimeoutMs: values.UPLOAD_IDLE_TIMEOUT_MS,
  };
}

/** Settings that are well-formed and probably not what was meant. */
export function warnOfLikelySlips({ environment: { values, given }, production, warnings }: Checks): void {
  if (!production) return;
  const timeouts = ['UPLOAD_IDLE_TIMEOUT_MS', 'UPSTREAM_TIMEOUT_MS', 'RATE_LIMIT_WINDOW_MS'] as const;
  for (const name of timeouts) {
    if (values[name] < 1000) warnings.push(`${name} is ${values[name]} milliseconds; were seconds meant?`);
  }
  if (!given.has('STORAGE_ORIGINS')) return;
  const open = values.STORAGE_ORIGINS.some(
    ({ scheme, host }) => scheme === 'http' && !isLoopback(new URL(`http://${host}`)),
  );
  if (open) warnings.push('STORAGE_ORIGINS holds plain http: files and signed URLs can be read on the way');
}
