import { sizeText } from '../errors/messages.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { defineScript, KEY_PREFIX } from '../redis/script.ts';
import { type SharedStore, sharedOrLocal } from '../redis/store.ts';

/** How large a file Leadway accepts in an upload, by location and channel, as far as its rejections tell. */
export interface SizeLimits {
  /** In bytes; infinite if nothing is known. */
  limitFor(locationId: string, channel: string): number;
  /** The lowest limit of any channel of these locations. */
  lowestOf(locationIds: readonly string[]): number;
  /**
   * Reads what other replicas know. Undefined if there are none, or if that was done within `maxAgeMs` milliseconds.
   * Default 0.
   */
  refresh(maxAgeMs?: number): Promise<void> | undefined;
  /** Whether one file above the limit may be sent, to find out if the limit still holds. True once in five minutes. */
  claimTest(locationId: string, channel: string): Promise<boolean>;
  /** Leadway rejected a file of `bytes` as too large. */
  noteRejected(locationId: string, channel: string, bytes: number): void;
  /** Leadway accepted a file of `bytes`. */
  noteAccepted(locationId: string, channel: string, bytes: number): void;
  /** The lowest limit that this process knows of, for the readiness probe, or null. */
  notice(): Notice | null;
}

/** Options of {@link createSizeLimits}. */
export interface SizeLimitsOptions {
  /** The largest file that the settings allow, in bytes. */
  readonly maxBytes: number;
  /** What replicas share; null keeps the limits in this process alone. */
  readonly store: SharedStore | null;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** No limit is lower than this, in bytes. */
export const MIN_LIMIT_BYTES = 1024 * 1024;
/** If a smaller file is rejected, its size is not the reason. */
const LEAST_EVIDENCE_BYTES = 64 * 1024;
/** How long a limit holds after the last rejection, in milliseconds. */
const HOLDS_MS = 60 * 60_000;
const TEST_EVERY_MS = 5 * 60_000;
/** Clients choose the names of channels. */
const MAX_KNOWN = 200;
/** How stale the readiness notice may be. */
const NOTICE_MAX_AGE_MS = 10_000;

/** A limit that is known. */
interface Known {
  readonly limit: number;
  readonly endsAt: number;
  /** When the next larger file may be sent. */
  testAt: number;
}

// One hash: a field for each location and channel, its value `<limit> <end> <when a larger file may be sent>`.
const KEYS = [`${KEY_PREFIX}size-limits`];

const PARSE = `
local function parse(value)
  if not value then return nil end
  local limit, ends, test = string.match(value, '^(%d+) (%d+) (%d+)$')
  if not limit or tonumber(ends) <= now then return nil end
  return tonumber(limit), tonumber(ends), tonumber(test)
end
local function save(field, limit, ends, test)
  redis.call('HSET', KEYS[1], field, string.format('%.0f %.0f %.0f', limit, ends, test))
end
`;

const READ = defineScript(`${PARSE}
local found = {}
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local limit, ends, test = parse(all[index + 1])
  if limit then table.insert(found, {all[index], limit, ends - now, test - now}) end
end
return found
`);

const LOWER = defineScript(`${PARSE}
local field, limit = ARGV[1], tonumber(ARGV[2])
limit = math.min(limit, parse(redis.call('HGET', KEYS[1], field)) or limit)
local isNew = redis.call('HEXISTS', KEYS[1], field) == 0
if isNew and redis.call('HLEN', KEYS[1]) >= ${MAX_KNOWN} then redis.call('DEL', KEYS[1]) end
save(field, limit, now + ${HOLDS_MS}, now + ${TEST_EVERY_MS})
redis.call('PEXPIRE', KEYS[1], ${HOLDS_MS})
return limit
`);

const CLAIM_TEST = defineScript(`${PARSE}
local limit, ends, test = parse(redis.call('HGET', KEYS[1], ARGV[1]))
if not limit then return 1 end
if test > now then return 0 end
save(ARGV[1], limit, ends, now + ${TEST_EVERY_MS})
return 1
`);

/** The vendor documents a limit in words that can be read in two ways, so it is learnt from what Leadway rejects. */
export function createSizeLimits({ maxBytes, store, logger, now = Date.now }: SizeLimitsOptions): SizeLimits {
  /** The oldest come first. */
  const byField = new Map<string, Known>();
  const onError = (err: unknown): void => logger.debug({ err }, 'a size limit could not be shared by Redis');
  /** What is in flight to Redis. */
  let written: Promise<unknown> = Promise.resolve();
  let refreshedAt = Number.NEGATIVE_INFINITY;
  const write = (send: (shared: SharedStore) => Promise<unknown>): void => {
    if (store?.isUp === true) written = Promise.all([written, send(store).catch(onError)]);
  };
  const knownIn = (field: string): Known | undefined => {
    const known = byField.get(field);
    return known !== undefined && known.endsAt > now() ? known : undefined;
  };
  const remember = (field: string, known: Known): void => {
    byField.delete(field);
    const [oldest] = byField.keys();
    if (byField.size >= MAX_KNOWN && oldest !== undefined) byField.delete(oldest);
    byField.set(field, known);
  };
  /** What holds now, the lowest limit first. */
  const all = (): (Known & { readonly locationId: string; readonly channel: string })[] =>
    [...byField]
      .map(([field, known]) => ({ ...fromField(field), ...known }))
      .filter(({ endsAt }) => endsAt > now())
      .sort((a, b) => a.limit - b.limit);
  const refresh = (maxAgeMs = 0): Promise<void> | undefined => {
    if (store === null || now() - refreshedAt < maxAgeMs) return undefined;
    refreshedAt = now();
    const readTogether = async (): Promise<void> => {
      await written; // what was read before would be out of date
      const found = (await READ(store, KEYS, [])) as [string, number, number, number][];
      byField.clear();
      for (const [field, limit, leftMs, testInMs] of found) {
        remember(field, { limit, endsAt: now() + leftMs, testAt: now() + testInMs });
      }
    };
    return sharedOrLocal(store, readTogether, () => {}, onError);
  };

  return {
    refresh,
    limitFor(locationId, channel) {
      if (byField.size === 0) return Number.POSITIVE_INFINITY;
      return knownIn(toField(locationId, channel))?.limit ?? Number.POSITIVE_INFINITY;
    },
    lowestOf(locationIds) {
      const lowest = all().find(({ locationId }) => locationIds.includes(locationId));
      return lowest?.limit ?? Number.POSITIVE_INFINITY;
    },
    async claimTest(locationId, channel) {
      const field = toField(locationId, channel);
      const askHere = (): boolean => {
        const known = knownIn(field);
        if (known === undefined) return true;
        if (known.testAt > now()) return false;
        known.testAt = now() + TEST_EVERY_MS;
        return true;
      };
      if (store === null) return askHere();
      const askTogether = async (): Promise<boolean> => (await CLAIM_TEST(store, KEYS, [field])) === 1;
      return sharedOrLocal(store, askTogether, askHere, onError);
    },
    noteRejected(locationId, channel, bytes) {
      const field = toField(locationId, channel);
      const before = knownIn(field)?.limit ?? maxBytes;
      const limit = Math.min(before, Math.max(bytes, MIN_LIMIT_BYTES));
      if (bytes < LEAST_EVIDENCE_BYTES || limit >= maxBytes) return;
      remember(field, { limit, endsAt: now() + HOLDS_MS, testAt: now() + TEST_EVERY_MS });
      write((shared) => LOWER(shared, KEYS, [field, limit]));
      logger[limit < before ? 'warn' : 'debug'](
        { locationId, channel, bytes },
        `${sentence(limit)}: for an hour, larger files go direct or are rejected here, except one every five minutes as a test`,
      );
    },
    noteAccepted(locationId, channel, bytes) {
      const field = toField(locationId, channel);
      const limit = knownIn(field)?.limit ?? Number.POSITIVE_INFINITY;
      if (bytes <= limit) return;
      byField.delete(field);
      write((shared) => shared.send('HDEL', ...KEYS, field));
      logger.info({ locationId, channel, bytes }, `Leadway accepts files above ${sizeText(limit).en} again`);
    },
    notice() {
      refresh(NOTICE_MAX_AGE_MS);
      const known = all();
      const [lowest] = known;
      if (lowest === undefined) return null;
      const details = known.map(
        ({ locationId, channel, limit, endsAt }) =>
          `${locationId}, ${channel}: ${sentence(limit)}, as far as is known until ${new Date(endsAt).toISOString()}`,
      );
      return { text: sentence(lowest.limit), detail: details.join('; ') };
    },
  };
}

function sentence(limit: number): string {
  return `Leadway rejects files above ${sizeText(limit).en}`;
}

/** Neither ids of locations nor names of channels have a colon. */
function toField(locationId: string, channel: string): string {
  return `${locationId}:${channel}`;
}

function fromField(field: string): { readonly locationId: string; readonly channel: string } {
  const [locationId = '', channel = ''] = field.split(':');
  return { locationId, channel };
}
