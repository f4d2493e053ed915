import type { Embedding } from '../embedding.ts';
import { unauthenticated } from '../errors/factories.ts';
import type { Authenticator } from './authenticator.ts';

/** Users as the embedding program tells them apart; takes the place of `AUTH`. */
export function createEmbeddedAuthenticator(
  authenticate: NonNullable<Embedding['authenticate']>,
): Authenticator {
  return {
    async authenticate({ incoming }) {
      const user = await authenticate(incoming);
      if (user === null) throw unauthenticated();
      const { id, locations } = user;
      if (typeof id !== 'string' || id === '')
        throw new TypeError('authenticate() returned a user without an id');
      if (locations !== 'all' && !Array.isArray(locations)) {
        throw new TypeError("authenticate() returned a user whose locations are neither a list nor 'all'");
      }
      return {
        id,
        locations: locations === 'all' ? null : new Set(locations),
        isByCookie: incoming.headers.cookie !== undefined, // it may have been the proof
      };
    },
  };
}
