import { appError } from '../errors/app-error.ts';

/** Decides which location an upload goes to. */
export interface LocationRule {
  /** The location to use when none is named; null when several are configured. */
  readonly single: string | null;
  /** Whether this server has a token for the location and the caller may use it. */
  isAllowed(locationId: string): boolean;
}

/**
 * The location of a request: the one that is named, everywhere where it is named the same, or the only one
 * there is. Null when it has not been named yet and must be.
 *
 * @throws AppError `LOCATION_NOT_ALLOWED`, in the same words for what does not exist and what is another's;
 *   `INVALID_FIELD` when two places name different ones.
 */
export function resolveLocation(rule: LocationRule, ...named: readonly (string | null)[]): string | null {
  const given = named.filter((locationId) => locationId !== null);
  for (const locationId of given) {
    if (!rule.isAllowed(locationId)) throw appError('LOCATION_NOT_ALLOWED');
  }
  if (new Set(given).size > 1) {
    throw appError('DUPLICATE_FIELD', { params: { field: 'locationId' }, details: { field: 'locationId' } });
  }
  return given[0] ?? rule.single;
}
