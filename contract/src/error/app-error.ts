import { ERROR, type ErrorCode } from "./code.ts";

/** What a program outside may see of an error. The cause stays in the log. */
export interface ErrorBody {
  code: ErrorCode;
  message: string;
  context: Record<string, unknown>;
}

/**
 * The one error class. Callers look at the code, never at the text: `ERROR` says what may be done about it.
 * `message` is written for the person who must act; `context` holds the facts (never a secret).
 */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly context: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; context?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = options.context ?? {};
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, context: this.context };
  }
}

/** True when doing the same again later may succeed without anybody changing anything. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AppError && ERROR[error.code].retry === "backoff";
}

/** Wraps anything thrown, so that no error travels without a code. */
export function asAppError(thrown: unknown, code: ErrorCode = "internal.bug"): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError(code, thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}
