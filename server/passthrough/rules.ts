import { ID_PATTERN, type PassthroughRule } from '../config/parsers.ts';
import { invalidField } from '../errors/factories.ts';

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

/** What follows `locations` is one, whatever the rule calls it. */
function nameOf(part: string, before: string | undefined): string {
  return before?.toLowerCase() === 'locations' ? 'locationId' : part.slice(1);
}

/** `locationId` in the spellings that the vendor's endpoints use; `altId` is the location where `altType` says so. */
const LOCATION_KEYS = new Set(['locationid', 'locationids', 'subaccountid', 'altid']);
const MAX_DEPTH = 32;

/**
 * Every location that a call names: in its path, its query and anywhere in its JSON body. An empty one names
 * nothing.
 *
 * @throws AppError `INVALID_FIELD` for a location that is not a string, or a body nested too deep to search.
 */
export function collectLocations(
  parameters: PathParameters,
  query: URLSearchParams,
  body: unknown,
): readonly string[] {
  const named: unknown[] = [];
  for (const [key, value] of [...parameters, ...query]) {
    // `locationId[]=x`, `filter[locationId]=x` and `filter.locationId=x` are objects and lists to many servers.
    if (key.split(/[[\].]/).some(isLocationKey)) named.push(value);
    else collectFrom(parseNested(value), named, 0);
  }
  collectFrom(body, named, 0);
  return named
    .flat()
    .filter((locationId) => locationId !== null && locationId !== '')
    .map((locationId) => {
      if (typeof locationId !== 'string') throw invalidField('locationId', 'id');
      return locationId;
    });
}

function collectFrom(value: unknown, named: unknown[], depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw invalidField('locationId', 'id');
  if (Array.isArray(value)) {
    for (const inner of value) collectFrom(inner, named, depth + 1);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key.split(/[[\].]/).some(isLocationKey)) named.push(inner);
    else collectFrom(inner, named, depth + 1);
  }
}

/** Some endpoints take a whole filter as JSON in one parameter. */
function parseNested(value: string): unknown {
  if (!/^\s*[[{]/.test(value)) return null;
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}

function isLocationKey(key: string): boolean {
  return LOCATION_KEYS.has(key.replaceAll(/[\s_-]/g, '').toLowerCase());
}
