/** Something that a check found wrong, as a person is told. */
export interface Problem {
  /** What was looked at, and what it was like. */
  readonly found: string;
  /** What to look at next. */
  readonly see: string;
}

/** One look at everything; no problem means that all is right. */
export type Look<Input> = (input: Input) => Promise<Problem[]>;

/** The text of an error, with its code where the text does not have it, and with what is behind it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, cause } = error as NodeJS.ErrnoException;
  const text = code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
  return cause === undefined ? text : `${text}: ${reasonOf(cause)}`;
}
