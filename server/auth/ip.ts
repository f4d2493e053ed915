import type { Authenticator } from './authenticator.ts';

/** `AUTH=none`: whoever can reach the server may call; clients are told apart by address. */
export function createAddressAuthenticator(): Authenticator {
  return {
    async authenticate({ addressKey }) {
      return { id: `ip:${addressKey}`, locations: null, isByCookie: false };
    },
  };
}
