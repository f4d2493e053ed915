import { writeSync } from 'node:fs';
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import sonicBoom from 'sonic-boom';
import { AppError } from './errors/app-error.ts';
import { redactText } from './redaction.ts';

/** The part of pino that the program uses. */
export type Logger = Pick<
  PinoLogger,
  'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'child' | 'level'
>;

/** Header and field names whose values never reach a log, in lower case. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'upload-ticket',
  'token',
  'ticket',
  'uploadurl',
]);

const SECRET = '[secret]';

/** A logger of an embedding program, with pino's methods. */
export type ForeignLogger = Record<
  'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
  (facts: Record<string, unknown>, message: string) => void
>;

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  readonly level: string;
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream;
  /** Gets the lines instead, one call each. */
  readonly target?: ForeignLogger;
}

/**
 * The program's logger: one JSON object a line. What could be a secret is taken out twice: by key, and from
 * every string by what secrets look like.
 */
export function createLogger({ level, destination, target }: LoggerOptions): Logger {
  const stream = destination ?? (target ? passLinesTo(target) : createOutput());
  const logger: Logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
      // Whatever key a string came under, and wherever it was nested.
      hooks: { streamWrite: redactText },
      formatters: {
        level: (label) => ({ level: label }),
        log: (facts) => censor(facts),
        bindings: (facts) => censor(facts),
      },
    },
    stream,
  );
  return logger;
}

const STDOUT = 1;
const GATHER_MS = 50;
const GATHER_BYTES = 4096;
/** What may wait for the reader; more is dropped. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Standard output, written to once for all lines of 50 ms or 4 KiB, and when the process ends. */
function createOutput(): DestinationStream {
  let isExiting = false;
  // It writes in the background, so that a reader that is slow or stuck does not hold up uploads.
  const output = new sonicBoom.SonicBoom({
    fd: STDOUT,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
    retryEAGAIN: () => !isExiting,
  });
  // A full disk, or a reader that has gone, costs lines and nothing else.
  let isBroken = false;
  output.on('error', () => {
    isBroken = true;
  });
  output.on('write', () => {
    isBroken = false;
  });
  let gathered = '';
  let timer: NodeJS.Timeout | null = null;
  const take = (): string => {
    const text = gathered;
    gathered = '';
    return text;
  };
  process.once('exit', () => {
    isExiting = true;
    try {
      if (!isBroken) output.flushSync(); // which would try for ever
      writeSync(STDOUT, take()); // `output.write` would begin a write that nothing waits for
    } catch {
      // Nobody reads it.
    }
  });
  return {
    write(line) {
      gathered += line;
      if (gathered.length >= GATHER_BYTES) output.write(take());
      else if (timer === null) {
        timer = setTimeout(() => {
          timer = null;
          if (gathered !== '') output.write(take());
        }, GATHER_MS).unref();
      }
    },
  };
}

/** Passes lines on as they were written: without secrets. */
function passLinesTo(target: ForeignLogger): DestinationStream {
  return {
    write(line) {
      const { level, time: _, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
      target[level as keyof ForeignLogger](facts, String(msg ?? ''));
    },
  };
}

/** Nothing is logged that lies deeper; the bound is there for what refers to itself. */
const MAX_DEPTH = 6;

/**
 * `facts` without the values of secret names, however deep. What has none, which is nearly all, is not
 * copied: this runs for every line of the access log.
 */
function censor<T extends object>(facts: T, depth = 0): T {
  let censored: T | null = null;
  for (const [key, value] of Object.entries(facts)) {
    const isNested = typeof value === 'object' && value !== null && depth < MAX_DEPTH;
    const shown = SECRET_KEYS.has(key.toLowerCase()) ? SECRET : isNested ? censor(value, depth + 1) : value;
    if (shown === value) continue;
    censored ??= (Array.isArray(facts) ? [...facts] : { ...facts }) as T;
    censored[key as keyof T] = shown as T[keyof T];
  }
  return censored ?? facts;
}

/** Lines for people instead of JSON, for a terminal. In an object, because the stream has its own `then`. */
export async function createPrettyStream(): Promise<{ stream: DestinationStream }> {
  const { default: pretty } = await import('pino-pretty');
  return { stream: pretty({ sync: true, ignore: 'requestId', translateTime: 'SYS:HH:MM:ss' }) };
}

/**
 * An error for the log: name, code, message and causes, without anything that looks like a secret. It has a stack only
 * where the fault is ours: the stack of a rejected connection or of Leadway's 503 leads nowhere.
 */
function serializeError(error: unknown): unknown {
  return describeError(error, error instanceof AppError && error.code === 'INTERNAL');
}

function describeError(error: unknown, withStack: boolean): unknown {
  if (!(error instanceof Error)) return redactText(String(error));
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: redactText(error.message),
    ...(withStack && error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && { cause: describeError(error.cause, withStack) }),
  };
}
