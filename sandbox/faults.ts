/** Faults that any Leadway endpoint can have. */
const LEADWAY_FAULTS = {
  refuse: 'for everything: the listener is closed (ECONNREFUSED); for one request: its socket is destroyed',
  'slow-headers': 'responds as usual, slowMs late',
  'slow-body': 'reads the body at 64 KiB per tenth of slowMs and spreads the response over slowMs',
  'never-answers': 'reads everything and never responds',
  'stops-reading':
    'stops reading the body and never responds; does not notice a disconnect once its buffer is full',
  cut: 'does its work, then breaks the connection in the middle of the response',
  'reset-mid-upload': 'resets the connection after 8 KiB of body, or at its end when it is shorter',
  'early-413': 'responds with 413 at the first body bytes, discards what still comes for slowMs, then closes',
  'early-401': 'the same with 401 Invalid JWT',
  'early-413-stuck': 'responds with 413 at the first body bytes and reads no further; closes after slowMs',
  'early-413-close': 'responds with 413 at the first body bytes and resets the connection at once',
  'status-NNN':
    'responds with that status (200 to 599) in the usual error shape; 3xx redirect to another host',
  html: 'responds with 200 and an HTML page',
  'bad-json': 'responds with 200 and broken JSON',
  'huge-json': 'responds with 200 and more than 2 MiB of valid JSON',
  'empty-success': 'responds with 200 {}',
  '429': 'responds with 429 without Retry-After, rate headers at 0 remaining',
  '429-retry-after': 'responds with 429 and Retry-After: 1',
  'bad-token': 'responds with 401 Invalid JWT',
  'no-scope': 'responds with 401 The token is not authorized for this scope.',
  'auth-class': 'responds with 401 This AuthClass is not yet supported',
  leaky: 'responds with 400 and a message that holds the bearer token, a signed URL and an IP address',
  'stale-keep-alive': 'works, but the next request on the same connection finds it reset',
} as const;

/** Faults of initiate and complete alone. */
const DIRECT_FAULTS = {
  'no-initiate': 'initiate and complete respond with 404 as if they did not exist; upload works',
  'initiate-401-class':
    'initiate and complete respond with 401 This AuthClass is not yet supported; upload works',
  'initiate-evil-origin': 'initiate responds with 200 and an uploadUrl on https://evil.example',
} as const;

/** Faults of a PUT to the storage stand-in. */
const STORAGE_FAULTS = {
  'storage-refuse': 'refuse, for storage',
  'storage-403': 'responds with 403 SignatureDoesNotMatch',
  'storage-expired': 'responds with 400 ExpiredToken',
  'storage-status-NNN': 'responds with that status (200 to 599) and an XML error',
  'storage-reset': 'reset-mid-upload, for storage',
  'storage-never-answers': 'never-answers, for storage; nothing is stored',
  'storage-stops-reading': 'stops-reading, for storage',
  'storage-slow-headers': 'slow-headers, for storage',
  'storage-slow-body': 'slow-body, for storage',
} as const;

/**
 * Every named fault with what it does. `NNN` stands for a status. A name of the first group may be held to one
 * endpoint by `upload-`, `initiate-` or `complete-` before it, and any name to one time by `once-` before that.
 */
export const FAULTS = { ...LEADWAY_FAULTS, ...DIRECT_FAULTS, ...STORAGE_FAULTS } as const;

type Named<T> = Exclude<keyof T & string, 'status-NNN' | 'storage-status-NNN'>;
type LeadwayFault = Named<typeof LEADWAY_FAULTS> | `status-${number}`;
type DirectFault = Named<typeof DIRECT_FAULTS>;
type StorageFault = Named<typeof STORAGE_FAULTS> | `storage-status-${number}`;

/** A fault without its prefixes. */
type BaseFault = LeadwayFault | DirectFault | StorageFault;
/** What can be given as `fault`, or after `fault-` in a conversation id. */
export type FaultName =
  `${'' | 'once-'}${`${'' | 'upload-' | 'initiate-' | 'complete-'}${LeadwayFault}` | DirectFault | StorageFault}`;
/** What a request asks for, as far as faults care; looking at a stored file (`view`) has none. */
export type Endpoint = 'upload' | 'initiate' | 'complete' | 'other' | 'storage' | 'view';

interface ParsedFault {
  base: BaseFault;
  endpoints: readonly Endpoint[];
  once: boolean;
}

const LEADWAY: readonly Endpoint[] = ['upload', 'initiate', 'complete', 'other'];

function isListed<T extends string>(table: object, name: string): name is T {
  const status = /status-([2-5]\d\d)$/.exec(name)?.[1];
  return Object.hasOwn(table, status === undefined ? name : name.replace(status, 'NNN'));
}

function parseFault(name: string): ParsedFault | null {
  const once = name.startsWith('once-');
  const rest = once ? name.slice('once-'.length) : name;
  if (isListed<DirectFault>(DIRECT_FAULTS, rest)) {
    return { base: rest, endpoints: ['initiate', 'complete'], once };
  }
  if (isListed<StorageFault>(STORAGE_FAULTS, rest)) return { base: rest, endpoints: ['storage'], once };
  if (isListed<LeadwayFault>(LEADWAY_FAULTS, rest)) return { base: rest, endpoints: LEADWAY, once };
  for (const endpoint of ['upload', 'initiate', 'complete'] as const) {
    const base = rest.slice(endpoint.length + 1);
    if (rest.startsWith(`${endpoint}-`) && isListed<LeadwayFault>(LEADWAY_FAULTS, base)) {
      return { base, endpoints: [endpoint], once };
    }
  }
  return null;
}

/** Tells whether a fault goes by this name, prefixes and statuses included. */
export function isFaultName(name: string): name is FaultName {
  return !name.endsWith('status-NNN') && parseFault(name) !== null;
}

/** The name asked for by a conversation id `fault-<name>` or `fault-<name>_<anything>`, known or not. */
export function faultOfConversation(conversationId: string): string | null {
  return /^fault-([^_]+)/.exec(conversationId)?.[1] ?? null;
}

/** A fault that is due for a request. */
export interface DueFault {
  name: FaultName;
  base: BaseFault;
}

/** Decides which fault a request meets: the one for everything first, then its conversation's. */
export interface FaultSwitch {
  current: FaultName | null;
  /** `conversationId` is null while it is not known yet. */
  take(endpoint: Endpoint, conversationId: string | null): DueFault | null;
  reset(): void;
}

/** Makes a switch; `onChange` is called at every change of the fault for everything. */
export function createFaultSwitch(initial: FaultName | null, onChange: () => void): FaultSwitch {
  let current = initial;
  const spent = new Set<string>();
  const due = (name: string, endpoint: Endpoint): ParsedFault | null => {
    const parsed = parseFault(name);
    return parsed?.endpoints.includes(endpoint) === true ? parsed : null;
  };
  const change = (name: FaultName | null) => {
    if (name !== null && !isFaultName(name)) throw new TypeError(`No fault is named "${String(name)}"`);
    current = name;
    onChange();
  };
  return {
    get current() {
      return current;
    },
    set current(name) {
      change(name);
    },
    take(endpoint, conversationId) {
      const everywhere = current === null ? null : due(current, endpoint);
      if (current !== null && everywhere !== null) {
        const taken = { name: current, base: everywhere.base };
        if (everywhere.once) change(null);
        return taken;
      }
      const name = conversationId === null ? null : faultOfConversation(conversationId);
      if (conversationId === null || name === null || !isFaultName(name)) return null;
      const own = due(name, endpoint);
      if (own === null || (own.once && spent.has(conversationId))) return null;
      if (own.once) spent.add(conversationId);
      return { name, base: own.base };
    },
    reset() {
      spent.clear();
      change(initial);
    },
  };
}
