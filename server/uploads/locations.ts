import type { Client } from '../auth/authenticator.ts';
import { appError } from '../errors/app-error.ts';
import { duplicateField } from '../errors/factories.ts';

/** Decides which location a client's request goes to. */
export interface LocationRule {
  /** The location to use when none is named; null when several are configured. */
  readonly single: string | null;
  /** Whether the client may use none. */
  readonly isEmpty: boolean;
  /** Whether this server has a token for the location and the client may use it. */
  isAllowed(locationId: string): boolean;
}

/**
 * The location of a request: the one that is named, or the only one there is. Null if it has to be named and has not
 * been yet.
 *
 * @throws AppError `LOCATION_NOT_ALLOWED`, in the same words for what does not exist and what belongs to others;
 *   `DUPLICATE_FIELD` when two places name different ones.
 */
export function resolveLocation(rule: LocationRule, ...named: readonly (string | null)[]): string | null {
  if (rule.isEmpty) throw appError('LOCATION_NOT_ALLOWED');
  const given = named.filter((locationId) => locationId !== null);
  for (const locationId of given) {
    if (!rule.isAllowed(locationId)) throw appError('LOCATION_NOT_ALLOWED');
  }
  if (given.some((locationId) => locationId !== given[0])) {
    throw duplicateField('locationId');
  }
  return given[0] ?? rule.single;
}

/** The rule for a client: all configured locations, or those of them that are its own. */
export function locationsOfClient(
  configured: readonly string[],
  client: Pick<Client, 'locations'>,
): LocationRule {
  const { locations } = client;
  const usable =
    locations === null ? configured : configured.filter((locationId) => locations.has(locationId));
  const [first = null, ...others] = usable;
  return {
    isEmpty: usable.length === 0,
    single: others.length === 0 ? first : null,
    isAllowed: (locationId) => usable.includes(locationId),
  };
}
