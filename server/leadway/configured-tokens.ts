import { readFile } from 'node:fs/promises';
import { parseLocationTokens, parseTokenFile } from '../config/secret-parsers.ts';
import type { Secret, Secrets } from '../config/secrets.ts';
import type { Logger } from '../logger.ts';
import type { TokenSource } from './token-source.ts';

/** A changed file is used within five seconds. */
const POLL_MS = 2_000;

/** What {@link createConfiguredTokens} takes. */
export interface ConfiguredTokensOptions {
  readonly secrets: Secrets;
  /** The location of a token that is configured alone. */
  readonly singleLocationId: string | null;
  readonly logger: Logger;
  readonly pollMs?: number;
}

type Tokens = ReadonlyMap<string, Secret>;

/**
 * The tokens of the configuration. Those from a file are read again when it changes and when Leadway calls
 * one bad; a file that can't be read or parsed changes nothing, since it may be in the middle of a write.
 * Its content is compared and not its time: an atomic rename and a Kubernetes volume swap the file beneath
 * its name.
 *
 * Where two tokens are given (`new,old`), the first is used until Leadway calls it bad, then the other.
 */
export function createConfiguredTokens(options: ConfiguredTokensOptions): TokenSource & Disposable {
  const { secrets, singleLocationId, logger, pollMs = POLL_MS } = options;
  const path = secrets.locationTokens?.file ?? secrets.leadwayToken?.file ?? null;
  const parse = createParser(secrets, singleLocationId);
  const bad = new Set<string>();
  let tokens = initialTokens(secrets, singleLocationId);
  let lastText: string | null = null;
  let reading: Promise<void> | null = null;

  const read = async (file: string): Promise<void> => {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (err) {
      logger.warn({ err, file }, 'The token file can’t be read; the last good token stays in use');
      return;
    }
    if (text === lastText) return;
    const isFirst = lastText === null;
    lastText = text;
    const parsed = parse(text);
    if (parsed === null) {
      logger.warn({ file }, 'The token file holds no valid token; the last good one stays in use');
      return;
    }
    tokens = parsed;
    bad.clear();
    if (!isFirst) logger.info({ file }, 'The token file changed; its new content is in use');
  };
  /** Once for all who wait: a rotation meets many requests at the same moment. */
  const readOnce = (file: string): Promise<void> => {
    reading ??= read(file).finally(() => {
      reading = null;
    });
    return reading;
  };
  const all = (locationId: string): readonly string[] => {
    const secret = tokens.get(locationId);
    if (secret === undefined) throw new TypeError('there is no token for this location');
    return secret.reveal().split(',');
  };
  const current = (locationId: string): string => {
    const candidates = all(locationId);
    return candidates.find((token) => !bad.has(token)) ?? candidates[0] ?? '';
  };

  const timer = path === null ? null : setInterval(() => void readOnce(path), pollMs);
  timer?.unref();
  if (path !== null) void readOnce(path);

  return {
    current,
    all,
    async refresh(locationId, usedToken) {
      if (path !== null) await readOnce(path);
      const candidates = all(locationId);
      if (!candidates.includes(usedToken)) return true;
      bad.add(usedToken);
      // When every one was called bad, the first is as good a guess as any.
      if (candidates.every((token) => bad.has(token))) for (const token of candidates) bad.delete(token);
      return current(locationId) !== usedToken;
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
