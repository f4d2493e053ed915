import type { Authenticator } from './authenticator.ts';

/** `AUTH=none`: every client that reaches the server may use it; clients are known by their address. */
export function createAddressAuthenticator(): Authenticator {
  return {
    async authenticate({ addressKey }) {
      return { id: `ip:${addressKey}`, locations: null, isByCookie: false };
    },
  };
}
