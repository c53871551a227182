/**
 * A mistake or a condition that a person can act on: printed as it is, never with a stack trace.
 * The message says what was wrong and where; `remedy` says what to do.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** 1: it failed; 2: wrong use or configuration. */
  readonly exitCode: 1 | 2;
  readonly remedy: string | undefined;

  constructor(message: string, options: { exitCode?: 1 | 2; remedy?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
    this.remedy = options.remedy;
  }
}
