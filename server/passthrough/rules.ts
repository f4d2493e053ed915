import type { PassthroughRule } from '../config/parsers.ts';
import { ID_PATTERN } from '../id-pattern.ts';

/** What the variable parts of a path were, by name; a rule may use a name twice. */
export type PathParameters = readonly (readonly [string, string])[];

/** A rule as it is written: `GET /conversations/:id`. */
export type ListedCall = `${string} /${string}`;

/** The rule that lists a call. */
export interface RuleMatch {
  readonly rule: ListedCall;
  readonly parameters: PathParameters;
}

/** Finds the rule that lists a call. */
export interface RuleBook {
  /** The first rule that lists it; else null. */
  match(method: string, segments: readonly string[]): RuleMatch | null;
}

/** Compiles `rules`; a call that none of them lists is not passed through. */
export function createRuleBook(rules: readonly PassthroughRule[]): RuleBook {
  const compiled = rules.map(({ method, path }) => {
    const text = path.slice(1);
    const rule: ListedCall = `${method} /${text}`;
    return { rule, method, pattern: text.split('/') };
  });
  return {
    match(method, segments) {
      for (const { rule, method: listed, pattern } of compiled) {
        const parameters = listed === method ? matchPath(pattern, segments) : null;
        if (parameters !== null) return { rule, parameters };
      }
      return null;
    },
  };
}

function matchPath(pattern: readonly string[], segments: readonly string[]): PathParameters | null {
  if (pattern.length !== segments.length) return null;
  const parameters: [string, string][] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (!part.startsWith(':')) {
      if (part !== segment) return null;
    } else {
      if (!ID_PATTERN.test(segment)) return null; // a variable part stands for one id
      parameters.push([nameOf(part, pattern[index - 1]), segment]);
    }
  }
  return parameters;
}

/** What stands behind `locations` is one, whatever the rule calls it. */
function nameOf(part: string, before: string | undefined): string {
  return before?.toLowerCase() === 'locations' ? 'locationId' : part.slice(1);
}
