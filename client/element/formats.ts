import type { Language } from './texts.ts';

const KIB = 1024;
const UNITS = ['B', 'kB', 'MB', 'GB'] as const;
const SECOND = 1_000;

/** `1.4 MB`, `12 MB`, with the decimal sign of the language and a space that does not break. */
export function formatBytes(bytes: number, language: Language): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log(bytes) / Math.log(KIB)), UNITS.length - 1);
  return formatUnit(bytes / KIB ** power, UNITS[power] ?? 'B', language, power < 2 ? 0 : 1);
}

/** Whole seconds or minutes, as one counts down: `4 s`, `2 min`; never less than a second. */
export function formatRemaining(ms: number, language: Language): string {
  const seconds = Math.max(1, Math.ceil(ms / SECOND));
  return seconds < 100 ? formatUnit(seconds, 's', language) : formatUnit(seconds / 60, 'min', language);
}

/** A measured time: `84 ms`, `1.3 s`. */
export function formatTook(ms: number, language: Language): string {
  if (ms < SECOND) return formatUnit(ms, 'ms', language);
  return formatUnit(ms / SECOND, 's', language, ms < 10 * SECOND ? 1 : 0);
}

/** The symbols of units are the same in both languages. */
function formatUnit(value: number, symbol: string, language: Language, maximumFractionDigits = 0): string {
  return `${new Intl.NumberFormat(language, { maximumFractionDigits }).format(value)}\u00a0${symbol}`;
}
