import { appError } from '../errors/app-error.ts';
import type { PathParameters } from './rules.ts';

/** `locationId` in the spellings that the vendor's endpoints use; `altId` is the location where `altType` says so. */
const LOCATION_KEYS = new Set(['locationid', 'locationids', 'altid']);
const MAX_DEPTH = 32;

/**
 * Every location that a call names: in its path, its query and anywhere in its JSON body.
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
    // `locationId[]=x` and `locationId[0]=x` are read as lists by many servers.
    if (isLocationKey(key.replace(/\[.*$/, ''))) named.push(value);
  }
  collectFrom(body, named, 0);
  return named.flat().map((locationId) => {
    if (typeof locationId !== 'string') throw invalidLocation();
    return locationId;
  });
}

function collectFrom(value: unknown, named: unknown[], depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw invalidLocation();
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && isLocationKey(key)) named.push(inner);
    else collectFrom(inner, named, depth + 1);
  }
}

function isLocationKey(key: string): boolean {
  return LOCATION_KEYS.has(key.replaceAll(/[_-]/g, '').toLowerCase());
}

function invalidLocation() {
  const field = 'locationId';
  return appError('INVALID_FIELD', { message: 'INVALID_FIELD.id', params: { field }, details: { field } });
}
