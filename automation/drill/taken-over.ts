import { standIns } from './expectations.ts';
import type { RegionShares } from './figures.ts';
import type { Measured } from './measured.ts';
import type { FaultMark } from './plan.ts';

/** Regions that were to serve under the fault, and did not in a time in which they need not have yet. */
export function notYetTakenOver({ run: { faults }, regions, later, boundsMs = [] }: Measured, i: number): { lastedMs: number; boundMs: number; regions: string[] } {
  const { tookHoldMs = NaN, healMs = NaN, expects = {} } = faults[i] ?? {};
  const [lastedMs, boundMs] = [Math.round(healMs - tookHoldMs), boundsMs[i] ?? NaN];
  if (!(lastedMs < boundMs)) return { lastedMs, boundMs, regions: [] };
  const around = (i === 0 ? regions : later[i - 1]?.regions) ?? [];
  const idle = around.filter(({ name, during }) => expects[name]?.during === 'serves' && during === 0);
  const others = standInsOf(faults[i], around);
  return { lastedMs, boundMs, regions: [...idle.map(({ name }) => name), ...(others.during === 0 ? others.names : [])] };
}

/** Those of whom any may stand in under a fault, and the share that they served together. */
export function standInsOf(fault: FaultMark | undefined, around: readonly RegionShares[]): { names: string[]; during: number | undefined } {
  const names = fault === undefined ? [] : standIns(fault);
  const shares = around.flatMap(({ name, during }) => (names.includes(name) && during !== undefined ? [during] : []));
  return { names, during: shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) };
}
