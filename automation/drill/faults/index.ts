import { bridgeScale0 } from './bridge-scale-0.ts';
import type { Fault } from './fault.ts';

export type FaultName = 'bridge-scale-0';

/** Every fault, by name. What one needs to undo is its own business, hence `unknown`. */
export const faults: Readonly<Record<FaultName, Fault>> = {
  'bridge-scale-0': bridgeScale0 as Fault,
};

/** The fault of that name, or undefined. */
export function faultNamed(name: string): Fault | undefined {
  return Object.values(faults).find((fault) => fault.name === name);
}
