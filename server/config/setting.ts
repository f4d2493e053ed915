import type { Parser } from './parsers.ts';

interface SettingText {
  /** An acceptable value; shown when a bad one came. */
  readonly example: string;
  readonly doc: string;
  /** Never printed, and may be given as `NAME_FILE` too. */
  readonly secret?: true;
  /** Another name for it, which wins where both are set. */
  readonly alias?: string;
}

/** One variable of the environment. */
export interface Setting<T> extends SettingText {
  readonly parse: Parser<T>;
  /** As an operator would write it; `null` when not setting it means something of its own. */
  readonly default: string | null;
  readonly fallback: T;
}

/** A variable with a default, which goes through the same parser as what an operator writes. */
export function setting<T>(parse: Parser<T>, text: SettingText & { readonly default: string }): Setting<T> {
  const parsed = parse(text.default);
  if (!parsed.ok) throw new TypeError(`The default ${text.default} ${parsed.problem}`);
  return { ...text, parse, fallback: parsed.value };
}

/** A variable that may be left out. */
export function optional<T>(parse: Parser<T>, text: SettingText): Setting<T | null> {
  return { ...text, parse, default: null, fallback: null };
}
