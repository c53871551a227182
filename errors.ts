/**
 * Causes that a program which uses the library treats differently: `locked`, another operation has the stack, which can be tried again later; `unreachable`, a cluster
 * does not answer; `drill-running`, another drill is on the stack; `not-healed`, a drill's fault is still in effect.
 */
export type ErrorCode = 'locked' | 'unreachable' | 'drill-running' | 'not-healed';

/**
 * A mistake or a condition that a person can act on: printed as it is, never with a stack trace.
 * The message says what was wrong and where; `remedy` says what to do.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** 1: it failed; 2: wrong use or configuration. */
  readonly exitCode: 1 | 2;
  readonly remedy: string | undefined;
  /** For a program; most causes have none. */
  readonly code: ErrorCode | undefined;

  constructor(message: string, options: { exitCode?: 1 | 2; remedy?: string; code?: ErrorCode | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
    this.remedy = options.remedy;
    this.code = options.code;
  }
}

/** What an error says; of anything else that was thrown its text. One for several, as of a host none of whose addresses could be connected to, says nothing itself: then it is what the last says. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return error instanceof AggregateError && error.errors.length > 0 ? messageOf(error.errors.at(-1)) : (error as NodeJS.ErrnoException).code ?? '';
}

/** The first line of what an error says: where tools answer with their usage as well. */
export function firstLineOf(error: unknown): string {
  return messageOf(error).trim().split('\n')[0] ?? '';
}
