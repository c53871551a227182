import type { Expectation } from './faults/fault.ts';
import type { FaultMark, Serving } from './plan.ts';

/** Regions and who of them is asked first, or how often each, as the program's outputs say it. */
export interface Order {
  regions: readonly { name: string }[];
  tier1?: { first?: string | undefined; weights?: Readonly<Record<string, number>> | undefined } | undefined;
}

/** Regions that serve while nothing is wrong: all, or the one that the others stand by for, or those that tier1 gives anything. */
export function servingRegions({ regions, tier1 }: Order): string[] {
  const names = regions.map(({ name }) => name);
  const { first, weights } = tier1 ?? {};
  if (weights !== undefined) return names.filter((name) => (weights[name] ?? 0) > 0);
  return first === undefined ? names : names.filter((name) => name === first);
}

/** Of all requests (0 to 1), by region, where tier1 gives each that serves a share of its own; undefined where it does not. */
export function sharesOf({ regions, tier1 }: Order): Readonly<Record<string, number>> | undefined {
  const { weights } = tier1 ?? {};
  if (weights === undefined) return undefined;
  const serving = servingRegions({ regions, tier1 });
  const sum = serving.reduce((total, name) => total + (weights[name] ?? 0), 0);
  return Object.fromEntries(serving.map((name) => [name, (weights[name] ?? 0) / sum]));
}

/** Who should answer before, under and after a fault of one region, if failover works. */
export function expectationsOf({ before, during, everywhere }: Expectation, { region, ...order }: Order & { region: string }): FaultMark['expects'] {
  const [serving, shares] = [servingRegions(order), sharesOf(order)];
  const isHit = (name: string): boolean => name === region || everywhere === true;
  return Object.fromEntries(order.regions.map(({ name }) => {
    const normal: Serving = serving.includes(name) ? 'serves' : 'any';
    // With two regions it is clear who stands in; with more, any of the others may (standIns).
    const standsIn = serving.includes(region) && during === 'silent' && order.regions.length === 2;
    const others: Serving = standsIn ? 'serves' : normal;
    return [name, {
      before: name === region ? before ?? normal : normal,
      // What ends by itself may be over before anything can be counted.
      during: during === 'any' ? 'any' : isHit(name) ? stricter(during, normal) : others,
      after: normal,
      ...(shares?.[name] === undefined ? {} : { share: shares[name] }),
    }];
  }));
}

/**
 * Of whom one at least has to serve while the region of a fault is silent, without its being known which; none where it is clear who stands in, or nobody has to. A fault of a region
 * that stands by leaves the others as they are.
 */
export function standIns({ region = '', expects }: Pick<FaultMark, 'region' | 'expects'>): string[] {
  const hit = expects[region];
  const others = Object.entries(expects).filter(([name]) => name !== region);
  if (hit?.before !== 'serves' || hit.during !== 'silent' || others.some(([, { during }]) => during === 'serves')) return [];
  const names = others.filter(([, { during }]) => during === 'any').map(([name]) => name);
  return names.length > 1 ? names : [];
}

/** A standby that is not hurt need not serve. */
function stricter(during: Serving, normal: Serving): Serving {
  return during === 'serves' ? normal : during;
}
