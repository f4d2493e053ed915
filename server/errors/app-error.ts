import { ERROR_CODES, type ErrorCode } from './codes.ts';
import { formatMessage, type Language, type MessageKey, type MessageParams } from './messages.ts';

/** What an {@link AppError} may carry beside its code. */
export interface AppErrorOptions {
  /** The message. Default: that of the code. */
  readonly message?: MessageKey;
  /** Values for the `{name}` places of the message. */
  readonly params?: MessageParams;
  /** A message from Leadway, without secrets, which replaces ours in every language. */
  readonly upstreamMessage?: string;
  /** Facts for programs, shown to the client. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** How long to wait before a retry, in milliseconds: `retryAfterMs` and `Retry-After`. */
  readonly retryAfterMs?: number;
  /** Leadway's `traceId`, which its support asks for. */
  readonly upstreamTraceId?: string;
  /** The status. Default: that of the code. */
  readonly status?: number;
  /** Whether the same request may succeed later. Default: as for the code. */
  readonly retryable?: boolean;
  /** Headers of the response, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The underlying error, for the log only. */
  readonly cause?: unknown;
}

/** An error that is sent to the client. Made by {@link appError}. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly options: AppErrorOptions;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(
      formatMessage(options.message ?? code, 'en', options.params),
      'cause' in options ? { cause: options.cause } : undefined,
    );
    this.code = code;
    this.status = options.status ?? ERROR_CODES[code].status;
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable;
    this.options = options;
  }

  /** The message in `language`. */
  messageIn(language: Language): string {
    const { message, params, upstreamMessage } = this.options;
    return upstreamMessage ?? formatMessage(message ?? this.code, language, params);
  }
}

/** Makes an error with `code`. */
export function appError(code: ErrorCode, options?: AppErrorOptions): AppError {
  return new AppError(code, options);
}

/** `error` as an {@link AppError}: itself, or `INTERNAL` with it as the cause. */
export function toAppError(error: unknown): AppError {
  return error instanceof AppError ? error : new AppError('INTERNAL', { cause: error });
}
