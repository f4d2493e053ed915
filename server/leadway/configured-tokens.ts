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
}

/**
 * The tokens of the configuration. Those from a file are read again when it changes and when Leadway calls
 * one bad; a file that can't be read or parsed changes nothing, since it may be in the middle of a write.
 */
export function createConfiguredTokens(options: ConfiguredTokensOptions): TokenSource & Disposable {
  const { secrets, singleLocationId, logger } = options;
  const path = secrets.locationTokens?.file ?? secrets.leadwayToken?.file ?? null;
  let tokens = initialTokens(secrets, singleLocationId);
  let lastText: string | null = null;
  let reading: Promise<void> | null = null;

  const parse = (text: string): ReadonlyMap<string, Secret> | null => {
    if (secrets.locationTokens !== null) {
      const parsed = parseLocationTokens(text);
      return parsed.ok ? parsed.value : null;
    }
    const parsed = parseTokenFile(text);
    return parsed.ok && singleLocationId !== null ? new Map([[singleLocationId, parsed.value]]) : null;
  };
  const read = async (file: string): Promise<void> => {
    try {
      const text = await readFile(file, 'utf8');
      if (text === lastText) return;
      const parsed = parse(text);
      if (parsed === null) {
        logger.warn({ file }, 'The token file holds no valid token; the last good one stays in use');
        lastText = text;
        return;
      }
      if (lastText !== null) logger.info({ file }, 'The token file changed; its new content is in use');
      lastText = text;
      tokens = parsed;
    } catch (err) {
      logger.warn({ err, file }, 'The token file can’t be read; the last good token stays in use');
    }
  };
  const readOnce = (file: string): Promise<void> => {
    reading ??= read(file).finally(() => {
      reading = null;
    });
    return reading;
  };
  const reveal = (locationId: string): string => {
    const token = tokens.get(locationId);
    if (token === undefined) throw new TypeError('there is no token for this location');
    return token.reveal();
  };

  const timer = path === null ? null : setInterval(() => void readOnce(path), POLL_MS);
  timer?.unref();
  if (path !== null) void readOnce(path);

  return {
    current: reveal,
    async refresh(locationId, usedToken) {
      if (path !== null) await readOnce(path);
      return reveal(locationId) !== usedToken;
    },
    [Symbol.dispose]() {
      if (timer !== null) clearInterval(timer);
    },
  };
}

function initialTokens(secrets: Secrets, singleLocationId: string | null): ReadonlyMap<string, Secret> {
  if (secrets.locationTokens !== null) return secrets.locationTokens.tokens;
  const only = secrets.leadwayToken?.value;
  return only !== undefined && singleLocationId !== null ? new Map([[singleLocationId, only]]) : new Map();
}
