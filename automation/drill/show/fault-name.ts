import type { Report } from '../report.ts';

type Planned = Pick<Report, 'fault' | 'plan'>;

/** Every fault that the plan does, in its order: `bridge-kill of east`. */
export function plannedFaults({ fault, plan }: Planned): { fault: string; region: string }[] {
  const planned = plan.steps.flatMap((step) => (step.kind === 'do' ? [{ fault: step.fault, region: step.region }] : []));
  return planned.length > 0 ? planned : [{ fault: fault.name, region: fault.region }];
}

/** `bridge-kill of east`; of several, `bridge-kill of east, then gateway-black-hole of west`. */
export function faultName(report: Planned): string {
  return inTurn(plannedFaults(report));
}

export function inTurn(faults: readonly { fault: string; region: string }[]): string {
  return faults.map(nameOf).join(', then ');
}

/** Which of several faults: `fault 2 (gateway-black-hole of west)`. Undefined of a drill with one. */
export function numberedFault(report: Planned, number: number): string | undefined {
  const faults = plannedFaults(report);
  const fault = faults[number - 1];
  return faults.length < 2 || fault === undefined ? undefined : `fault ${number} (${nameOf(fault)})`;
}

/** The number of the fault that an objective of that name is about. Undefined where it is about the drill as a whole. */
export function faultNumberOf(name: string): number | undefined {
  const [found, number = '1'] = /^(?:regions\..+\.(?:before|during|after)|condition\.(?:samples\.\w+|faultLasted))(?:\.(\d+))?$/.exec(name) ?? [];
  return found === undefined ? undefined : Number(number);
}

function nameOf({ fault, region }: { fault: string; region: string }): string {
  return region === '' ? fault : `${fault} of ${region}`;
}
