import { readFile as readFileFrom } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Secrets } from '../config/config.ts';
import { parseLocationTokens, parseTokenFile, type Secret } from '../config/secrets.ts';
import type { Notice } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { adviceFor, type LeadwayRejection, type LeadwayUse } from './errors.ts';

/** Where the bearer tokens come from. */
export interface TokenSource {
  /** The token of a location that is configured. */
  current(locationId: string): string;
  /** Every token that may be sent for it, to be kept out of what clients read. */
  all(locationId: string): readonly string[];
  /**
   * Reads the tokens again after Leadway rejected one. Resolves to whether the location's token is now
   * another than `usedToken`, so that a retry makes sense.
   */
  refresh(locationId: string, usedToken: string): Promise<boolean>;
}

/** A changed file is used within five seconds. */
const POLL_MS = 2_000;
/** If the content is unchanged for this long, the write is finished. */
const SETTLE_MS = 100;
const MAX_SETTLE_ROUNDS = 10;

/** Options of {@link createTokenStore}. */
export interface TokenStoreOptions {
  readonly secrets: Secrets;
  /** The location of a token that is configured alone. */
  readonly singleLocationId: string | null;
  readonly logger: Logger;
  /** Called when the file has brought other tokens. */
  readonly onChanged?: () => void;
  readonly pollMs?: number;
  /** Reads the file as text. */
  readonly readFile?: (path: string) => Promise<string>;
}

/** Tokens of the configuration; a file of tokens is watched. */
export interface TokenStore extends TokenSource, Disposable {
  /** Why the file's present content is not used, for the readiness probe; null when it is. */
  problem(): Notice | null;
  /** Reads the file now. Resolves to its path; null if the tokens did not come from a file. */
  reread(): Promise<string | null>;
}

type Tokens = ReadonlyMap<string, Secret>;

/**
 * The tokens of the configuration. Those from a file are read again when it changes and when Leadway rejects
 * one; a file that can't be read or parsed changes nothing, since it may be in the middle of a write.
 * Its content is compared and not its time: an atomic rename and a Kubernetes volume swap the file beneath
 * its name.
 *
 * Where two tokens are given (`new,old`), the first is used until Leadway rejects it, then the other.
 */
export function createTokenStore(options: TokenStoreOptions): TokenStore {
  const { secrets, singleLocationId, logger, pollMs = POLL_MS } = options;
  const readText = options.readFile ?? ((file: string) => readFileFrom(file, 'utf8'));
  const path = secrets.locationTokens?.file ?? secrets.leadwayToken?.file ?? null;
  const parse = createParser(secrets, singleLocationId);
  const bad = new Set<string>();
  let tokens = initialTokens(secrets, singleLocationId);
  /** Those before the last change: responses that are still to come may quote them. */
  let former = tokens;
  let lastText: string | null = null;
  let reading: Promise<void> | null = null;
  let problem: Notice | null = null;

  const reject = (found: string, file: string, err?: unknown): void => {
    if (problem?.text !== found) logger.warn({ file, ...(err !== undefined && { err }) }, found);
    problem = { text: found, detail: `${found}: ${file}` };
  };
  /** The text of the file once it has stopped changing: half a token looks like a whole one. */
  const readSettled = async (file: string): Promise<string> => {
    let text = await readText(file);
    for (let round = 0; round < MAX_SETTLE_ROUNDS && text !== lastText; round += 1) {
      await sleep(SETTLE_MS);
      const again = await readText(file);
      if (again === text) break;
      text = again;
    }
    return text;
  };
  const read = async (file: string): Promise<void> => {
    let text: string;
    try {
      text = await readSettled(file);
    } catch (err) {
      return reject('The token file can’t be read; the last good token stays in use', file, err);
    }
    if (text === lastText && problem === null) return;
    const parsed = parse(text);
    if (parsed === null) {
      return reject('The token file holds no valid token; the last good one stays in use', file);
    }
    problem = null;
    const isOther = lastText !== null && text !== lastText;
    if (text !== lastText) bad.clear();
    lastText = text;
    former = tokens;
    tokens = parsed;
    if (!isOther) return;
    logger.info({ file }, 'The token file changed; its new content is in use');
    options.onChanged?.();
  };
  /** Once for all requests that wait: a rotation affects many at the same moment. */
  const readOnce = (file: string): Promise<void> => {
    reading ??= read(file).finally(() => {
      reading = null;
    });
    return reading;
  };
  const candidatesFor = (locationId: string): readonly string[] => {
    const secret = tokens.get(locationId);
    if (secret === undefined) throw new TypeError('there is no token for this location');
    return secret.reveal().split(',');
  };
  const current = (locationId: string): string => {
    const candidates = candidatesFor(locationId);
    return candidates.find((token) => !bad.has(token)) ?? candidates[0] ?? '';
  };

  const timer = path === null ? null : setInterval(() => void readOnce(path), pollMs);
  timer?.unref();
  if (path !== null) void readOnce(path);

  return {
    current,
    all: (locationId) => [
      ...candidatesFor(locationId),
      ...(former.get(locationId)?.reveal().split(',') ?? []),
    ],
    problem: () => problem,
    async reread() {
      if (path === null) return null;
      await reading; // it may have begun before the file changed
      await readOnce(path);
      return path;
    },
    async refresh(locationId, usedToken) {
      // Another request may have found out first.
      if (current(locationId) !== usedToken) return true;
      if (path !== null) await readOnce(path);
      const candidates = candidatesFor(locationId);
      if (!candidates.includes(usedToken)) return true;
      bad.add(usedToken);
      // If all are bad, start over.
      if (candidates.every((token) => bad.has(token))) for (const token of candidates) bad.delete(token);
      const isOther = current(locationId) !== usedToken;
      if (isOther) logger.warn({ locationId }, 'Leadway rejected one of the two tokens; the other is in use');
      return isOther;
    },
    [Symbol.dispose]() {
      if (timer !== null) clearInterval(timer);
    },
  };
}

function createParser(secrets: Secrets, singleLocationId: string | null): (text: string) => Tokens | null {
  return function parse(text) {
    if (secrets.locationTokens !== null) {
      const several = parseLocationTokens(text);
      if (!several.ok) return null;
      // A location that vanished from the file keeps its token: the configuration still names it.
      return new Map([...secrets.locationTokens.tokens, ...several.value]);
    }
    const one = parseTokenFile(text);
    return one.ok && singleLocationId !== null ? new Map([[singleLocationId, one.value]]) : null;
  };
}

function initialTokens(secrets: Secrets, singleLocationId: string | null): Tokens {
  if (secrets.locationTokens !== null) return secrets.locationTokens.tokens;
  const only = secrets.leadwayToken?.value;
  return only !== undefined && singleLocationId !== null ? new Map([[singleLocationId, only]]) : new Map();
}

/** What Leadway rejects about the tokens, for the log and the readiness probe. */
export interface TokenHealth {
  /** Logs what a token error means, once until it is fixed. Ignores rejections for other reasons. */
  noteRejected(rejection: LeadwayRejection, locationId: string, use: LeadwayUse): void;
  /** Leadway accepted the location's token for `use`. */
  noteAccepted(locationId: string, use: LeadwayUse): void;
  /** What is not fixed, in sentences without location ids; null when there is nothing. */
  text(): string | null;
  /** The same for the operator, each with its location. */
  details(): string[];
}

/** A rejection that was logged. */
interface Rejection {
  readonly locationId: string;
  readonly use: LeadwayUse;
  readonly sentence: string;
  readonly isTokenInvalid: boolean;
}

/**
 * Keeps notices by location and use: each use needs its own scope, so the success of one says nothing about the scopes
 * of others. It does show that the token itself is good.
 */
export function createTokenHealth(logger: Logger): TokenHealth {
  const rejections = new Map<string, Rejection>();
  return {
    noteRejected(rejection, locationId, use) {
      const advice = adviceFor(rejection, use);
      if (advice === null) return;
      const key = `${locationId} ${use}`;
      const sentence = `${advice.cause}. ${advice.fix}.`;
      // Every request meets it until it is fixed.
      const isKnown = [...rejections.values()].some(
        (rejected) => rejected.locationId === locationId && rejected.sentence === sentence,
      );
      rejections.set(key, { locationId, use, sentence, isTokenInvalid: advice.isTokenInvalid });
      const { status: upstreamStatus } = rejection;
      logger[isKnown ? 'debug' : 'error']({ locationId, upstreamStatus }, sentence);
    },
    noteAccepted(locationId, use) {
      // Called after every success; there is hardly ever a rejection.
      if (rejections.size === 0) return;
      const fixed = [...rejections].filter(
        ([, rejected]) =>
          rejected.locationId === locationId && (rejected.use === use || rejected.isTokenInvalid),
      );
      if (fixed.length === 0) return;
      for (const [key] of fixed) rejections.delete(key);
      logger.info({ locationId }, 'Leadway takes the token again');
    },
    text() {
      const sentences = new Set([...rejections.values()].map(({ sentence }) => sentence));
      return [...sentences].join(' ') || null;
    },
    details: () => [...rejections.values()].map(({ locationId, sentence }) => `${locationId}: ${sentence}`),
  };
}
