import { messageOf } from '../../errors.ts';

/** Something that a check found wrong, as a person is told. */
export interface Problem {
  /** What was looked at, and what it was like. */
  readonly found: string;
  /** What to look at next. */
  readonly see: string;
}

/** One look at everything; no problem means that all is right. */
export type Look<Input> = (input: Input) => Promise<Problem[]>;

/** What a check that gives up says. A load balancer of a cloud may need longer than any check has, until it takes its targets for healthy. */
export function failureText(heading: string, problems: readonly Problem[]): string {
  return [
    heading, ...problems.map(({ found, see }) => `  ${found}\n    See: ${see}`),
    'What was made stays as it is. Where it only needs more time, as the targets of a load balancer do until they are healthy, run up again: it goes on looking.',
  ].join('\n');
}

/** The text of an error, with its code where the text does not have it, and with what is behind it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, cause } = error as NodeJS.ErrnoException;
  const message = messageOf(error);
  // What stands for several errors has the code of the first, and says what the last does.
  const text = code === undefined || message.includes(code) || error instanceof AggregateError ? message : `${message} (${code})`;
  return cause === undefined ? text : `${text}: ${reasonOf(cause)}`;
}
