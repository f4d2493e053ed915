import type { PassthroughRule } from '../config/passthrough.ts';

/** What the variable parts of a path were, by name; a rule may use a name twice. */
export type PathParameters = readonly (readonly [string, string])[];

/** Finds the rule that lists a call. */
export interface RuleBook {
  /** The variable parts of the path, when a rule lists it; else null. */
  match(method: string, segments: readonly string[]): PathParameters | null;
}

/** A variable part stands for one id. */
const PARAMETER_VALUE = /^[A-Za-z0-9_-]{1,64}$/;

/** Compiles `rules`; a call that none of them lists is not passed through. */
export function createRuleBook(rules: readonly PassthroughRule[]): RuleBook {
  const compiled = rules.map(({ method, path }) => ({ method, pattern: path.slice(1).split('/') }));
  return {
    match(method, segments) {
      for (const rule of compiled) {
        const parameters = rule.method === method ? matchPath(rule.pattern, segments) : null;
        if (parameters !== null) return parameters;
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
      if (!PARAMETER_VALUE.test(segment)) return null;
      parameters.push([nameOf(part, pattern[index - 1]), segment]);
    }
  }
  return parameters;
}

/** What stands behind `locations` is one, whatever the rule calls it. */
function nameOf(part: string, before: string | undefined): string {
  return before?.toLowerCase() === 'locations' ? 'locationId' : part.slice(1);
}
