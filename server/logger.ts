import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import { redactText } from './redact.ts';

/** The part of pino that the program uses. */
export type Logger = Pick<
  PinoLogger,
  'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'child' | 'level'
>;

/** Header and field names whose values never reach a log. */
const SECRET_KEYS = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  '["set-cookie"]',
  '["upload-ticket"]',
  'token',
  'ticket',
  'uploadUrl',
];

/** What {@link createLogger} takes. */
export interface LoggerOptions {
  readonly level: string;
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream;
  /** Lines for people instead of JSON; for a terminal. */
  readonly pretty?: boolean;
}

/**
 * The program's logger: one JSON object a line. What could be a secret is taken out twice: by key, and from
 * every string by what secrets look like.
 */
export async function createLogger({ level, destination, pretty = false }: LoggerOptions): Promise<Logger> {
  const stream =
    destination ??
    (pretty ? (await createPrettyStream()).stream : pino.destination({ dest: 1, sync: false }));
  const logger: Logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_KEYS.flatMap((key) => [key, key.startsWith('[') ? `*${key}` : `*.${key}`]),
        censor: '[secret]',
      },
      serializers: { err: serializeError },
      // Whatever key a string came under, and wherever it was nested.
      hooks: { streamWrite: redactText },
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return logger;
}

/** In an object, because the stream has a `then` of its own. */
async function createPrettyStream(): Promise<{ stream: DestinationStream }> {
  const { default: pretty } = await import('pino-pretty');
  return { stream: pretty({ sync: true, ignore: 'requestId', translateTime: 'SYS:HH:MM:ss' }) };
}

/** An error for the log: name, code, message and causes, without anything that looks like a secret. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactText(String(error));
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: redactText(error.message),
    ...(error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && { cause: serializeError(error.cause) }),
  };
}
