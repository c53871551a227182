import type { Advice, Check, Finding, Verdict } from './finding.ts';

/** What was seen of one of several alike. */
export interface Seen extends Advice {
  readonly name: string;
  readonly verdict: Verdict;
  /** Goes on after the name, or after all names of which it is true. */
  readonly says: string;
}

/** One finding for all of which the same was seen. */
export function together(check: Check, seen: readonly Seen[]): Finding[] {
  return [...Map.groupBy(seen, ({ verdict, says }) => `${verdict} ${says}`).values()].flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    const { verdict, says, expected, remedy } = first;
    const advice = { ...(expected === undefined ? {} : { expected }), ...(remedy === undefined ? {} : { remedy }) };
    return [{ check: check.check, subject: check.subject, verdict, found: `${alike.map(({ name }) => name).join(', ')}: ${says}`, ...advice }];
  });
}
