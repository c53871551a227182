import type { Report } from './report.ts';

/** 0 passed, 3 broke its objectives, 4 inconclusive. A drill that ended itself broke its objectives by then, or was kept from telling. */
export function exitCodeOf({ verdict, objectives }: Pick<Report, 'verdict' | 'objectives'>): 0 | 3 | 4 {
  if (verdict === 'pass') return 0;
  if (verdict === 'fail') return 3;
  if (verdict === 'inconclusive') return 4;
  return objectives.some(({ name, measured, met }) => !name.startsWith('condition.') && measured !== undefined && !met) ? 3 : 4;
}
