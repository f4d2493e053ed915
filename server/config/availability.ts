import { type Checks, nameGiven } from './checks.ts';
import type { VariableName } from './env.ts';

/** Settings that are read and checked but that nothing acts upon; the feature that does takes its line away. */
export const NOT_AVAILABLE_YET: readonly { readonly name: VariableName; readonly value?: string }[] = [
  { name: 'CLAMAV_URL' },
];

/** Rejects what would otherwise be silently ignored. */
export function checkAvailability(checks: Checks): void {
  const { values } = checks.environment;
  for (const { name, value } of NOT_AVAILABLE_YET) {
    // Malformed and missing values are null alike; the former have their problem already.
    if (value === undefined ? values[name] === null : values[name] !== value) continue;
    const problem = `${value ?? 'this setting'} is not available yet`;
    checks.problems.push({ name: nameGiven(checks, name), problem });
  }
}
