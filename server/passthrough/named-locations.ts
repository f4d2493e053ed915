import { invalidField } from '../errors/factories.ts';
import type { PathParameters } from './rules.ts';

/** `locationId` in the spellings that the vendor's endpoints use; `altId` is the location where `altType` says so. */
const LOCATION_KEYS = new Set(['locationid', 'locationids', 'subaccountid', 'altid']);
const MAX_DEPTH = 32;

/**
 * Every location that a call names: in its path, its query and anywhere in its JSON body. An empty one names
 * nothing.
 *
 * @throws AppError `INVALID_FIELD` for a location that is no text, or a body nested too deep to search.
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
