import type { Authenticator } from './caller.ts';

/** `AUTH=none`: whoever can reach the server may call; callers are told apart by address. */
export function createAddressAuthenticator(): Authenticator {
  return {
    async authenticate({ addressKey }) {
      return { id: `ip:${addressKey}`, locations: null, isByCookie: false };
    },
  };
}
