import type { Objective } from './objective.ts';
import type { Report } from './report.ts';

type Judged = Pick<Report, 'verdict' | 'objectives'>;

/** 0 passed, 3 broke its objectives, 4 inconclusive. A drill that ended itself broke its objectives by then, or was kept from telling. */
export function exitCodeOf({ verdict, objectives }: Judged): 0 | 3 | 4 {
  if (verdict === 'pass') return 0;
  if (verdict === 'fail') return 3;
  if (verdict === 'inconclusive') return 4;
  return brokenOf(objectives).length > 0 ? 3 : 4;
}

/** What was measured and missed; a condition that was not met is no answer. */
export function brokenOf(objectives: readonly Objective[]): Objective[] {
  return objectives.filter(({ name, measured, met }) => !name.startsWith('condition.') && measured !== undefined && !met);
}

/** Of several: one that broke its objectives is enough; one that answered nothing leaves the question open. */
export function exitCodeOfAll(reports: readonly Judged[]): 0 | 3 | 4 {
  const codes = reports.map(exitCodeOf);
  return codes.includes(3) ? 3 : codes.includes(4) ? 4 : 0;
}
