/** `unchecked`: what it needs was not there, which is a finding of its own. */
export type Verdict = 'ok' | 'warning' | 'fault' | 'unchecked';

/** What one check found. */
export interface Finding {
  /** What was looked at: `rights`. */
  readonly check: string;
  /** Whose: a context, a tool, a host name. */
  readonly subject: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** Where `found` does not say it. */
  readonly expected?: string;
  /** What a person can do about it. */
  readonly remedy?: string;
}

export interface Advice {
  readonly expected?: string;
  readonly remedy?: string;
}

/** Findings of one check about one subject. */
export class Check {
  readonly check: string;
  readonly subject: string;

  constructor(check: string, subject: string) {
    this.check = check;
    this.subject = subject;
  }

  ok(found: string): Finding {
    return this.#finding('ok', found);
  }

  warning(found: string, advice: Advice = {}): Finding {
    return this.#finding('warning', found, advice);
  }

  fault(found: string, advice: Advice = {}): Finding {
    return this.#finding('fault', found, advice);
  }

  /** @param why what has to be there first */
  unchecked(why: string, advice: Advice = {}): Finding {
    return this.#finding('unchecked', why, advice);
  }

  /** What a look finds; one that cannot be had, for whatever reason, is no fault of what was looked for. */
  async look(look: () => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
    try {
      return [await look()].flat();
    } catch (error) {
      return [this.unchecked(firstLine(error))];
    }
  }

  #finding(verdict: Verdict, found: string, advice: Advice = {}): Finding {
    return { check: this.check, subject: this.subject, verdict, found, ...advice };
  }
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n')[0] ?? '';
}

/** One line for a person. */
export function lineOf({ check, subject, verdict, found, expected, remedy }: Finding): string {
  const sentences = [found, ...(expected === undefined ? [] : [`expected: ${expected}`]), ...(remedy === undefined ? [] : [remedy])];
  return `${verdict.padEnd(9)}  ${check.padEnd(12)}  ${subject.padEnd(12)}  ${sentences.map((sentence) => sentence.replace(/\s*\n\s*/g, ' ').replace(/\.$/, '')).join('. ')}`;
}
