import { language } from './language.ts';

const KIB = 1024;
const UNITS = ['B', 'kB', 'MB', 'GB'] as const;
const SECOND = 1_000;

/** `1.4 MB`, `12 MB`, with the decimal sign of the language and a space that does not break. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(KIB)), UNITS.length - 1);
  return formatUnit(bytes / KIB ** power, UNITS[power] ?? 'B', power < 2 ? 0 : 1);
}

/** `1.4 MB/s`. */
export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** Whole seconds or minutes, as one counts down: `4 s`, `2 min`; never less than a second. */
export function formatRemaining(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / SECOND));
  return seconds < 100 ? formatUnit(seconds, 's') : formatUnit(seconds / 60, 'min');
}

/** As it was measured: `84 ms`, `1.3 s`. */
export function formatTook(ms: number): string {
  return ms < SECOND ? formatUnit(ms, 'ms') : formatUnit(ms / SECOND, 's', ms < 10 * SECOND ? 1 : 0);
}

/** The symbols of units are the same in both languages. */
function formatUnit(value: number, symbol: string, maximumFractionDigits = 0): string {
  return `${new Intl.NumberFormat(language(), { maximumFractionDigits }).format(value)}\u00a0${symbol}`;
}
