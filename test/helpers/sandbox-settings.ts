import type { Sandbox } from '../../sandbox/index.ts';

/** What the settings need to know of an upstream. */
export type Upstream = Pick<Sandbox, 'url' | 'token' | 'locationId' | 'storageOrigin'>;

/** The variables of a server on a free port with `sandbox` as its upstream, and room for many uploads at once. */
export function settingsFor(sandbox: Upstream): Readonly<Record<string, string>> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    LEADWAY_BASE_URL: sandbox.url,
    LEADWAY_TOKEN: sandbox.token,
    LEADWAY_LOCATION_ID: sandbox.locationId,
    STORAGE_ORIGINS: sandbox.storageOrigin,
    MAX_CONCURRENT_UPLOADS_PER_CALLER: '256',
  };
}
