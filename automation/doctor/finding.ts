import type { Problem } from '../../config/problems.ts';
import { firstLineOf } from '../../errors.ts';

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
  unchecked(why: string): Finding {
    return this.#finding('unchecked', why);
  }

  /** What a look finds; one that cannot be had, for whatever reason, is no fault of what was looked for. */
  async look(look: () => Promise<Finding | readonly Finding[]>): Promise<readonly Finding[]> {
    try {
      return [await look()].flat();
    } catch (error) {
      return [this.unchecked(firstLineOf(error))];
    }
  }

  #finding(verdict: Verdict, found: string, advice: Advice = {}): Finding {
    return { check: this.check, subject: this.subject, verdict, found, ...advice };
  }
}

/** A problem of the settings. */
export function faultOf(check: Check, { path, found, allowed, suggestion }: Problem): Finding {
  return check.fault(`${path}: ${found}${suggestion === undefined ? '' : `; was ${suggestion} meant?`}`, { expected: allowed });
}

/** One line for a person each, in columns; what could not be looked at for one reason is one line. */
export function linesOf(findings: readonly Finding[]): string[] {
  const merged = [...Map.groupBy(findings, (each) => (each.verdict === 'unchecked' ? `${each.check} ${each.found}` : each)).values()]
    .flatMap((alike) => (alike[0] === undefined ? [] : [{ ...alike[0], subject: [...new Set(alike.map(({ subject }) => subject))].join(', ') }]));
  const width = (key: 'check' | 'subject'): number => Math.max(...merged.map((each) => each[key].length).filter((length) => length <= widestColumn), 0);
  return merged.map(({ check, subject, ...each }) => lineOf({ ...each, check: check.padEnd(width('check')), subject: subject.padEnd(width('subject')) }));
}

const widestColumn = 24;

/** `fault      rights  east  may not create kafkas. Expected: all. Ask for it.` */
export function lineOf({ check, subject, verdict, found, expected, remedy }: Finding): string {
  const sentences = [found, ...(expected === undefined ? [] : [`Expected: ${expected}`]), ...(remedy === undefined ? [] : [remedy])].map((sentence) => sentence.replace(/\s*\n\s*/g, ' '));
  const text = sentences.length === 1 ? found : sentences.map((sentence) => (/[.?!]$/.test(sentence) ? sentence : `${sentence}.`)).join(' ');
  return `${verdict.padEnd('unchecked'.length)}  ${check}  ${subject}  ${text}`;
}
