import { completeContexts, serverOf } from '../../config/kubeconfig.ts';
import type { TargetRefs } from './faults/target.ts';
import type { LeasePlace } from './lease.ts';
import type { ProgramOutputs } from './options.ts';
import type { Plan } from './plan.ts';

/** Where a drill's Lease is: beside tier1, which all of a stack's drills have in common; where the outputs do not say where that is, beside the first bridge. */
export function leasePlaceOf({ tier1, regions: [first] }: ProgramOutputs): LeasePlace {
  const { context = '', namespace = '' } = tier1 ?? first ?? {};
  return { context, namespace };
}

/** For how long the plan itself has the API server stand still that keeps the Lease, ms: two contexts of the kubeconfig may be one cluster. */
export function leaseAwayMs({ steps, durationSeconds }: Plan, outputs: ProgramOutputs, kubeconfig: string): number {
  const servers = serversIn(kubeconfig);
  const placeOf = (context: string): string => servers.get(context) ?? context;
  const kept = placeOf(leasePlaceOf(outputs).context);
  const stills = steps.filter((step) => step.kind === 'do').filter(({ fault, region }) => fault === 'api-server-down' && outputs.regions.some((each) => each.name === region && placeOf(each.context) === kept));
  return Math.max(0, ...stills.map(({ forSeconds = durationSeconds / 3 }) => forSeconds * 1000));
}

/** By context. One that names a server by a proxy of several clusters may be another one's: the Lease then lasts longer than it has to. Empty where the file cannot be read. */
function serversIn(kubeconfig: string): ReadonlyMap<string, string> {
  try {
    return new Map([...completeContexts({ file: kubeconfig })].map(([context, { cluster }]) => [context, serverOf(cluster)]));
  } catch {
    return new Map();
  }
}

/** What a fault of a region reaches into. */
export function refsOf(outputs: ProgramOutputs, { run, region: name, forSeconds }: { run: string; region: string; forSeconds: number }): TargetRefs {
  const regions = outputs.regions.map(({ name: each, context, namespace, bridge, gateway }) => ({ name: each, context, namespace, bridge, ...(gateway === undefined ? {} : { gateway }) }));
  const region = regions.find((each) => each.name === name);
  if (region === undefined) throw new Error(`there is no region ${name}`);
  const { context, namespace, name: kafka } = outputs.kafka;
  const { tier1 } = outputs;
  return {
    run, region, regions, forSeconds, lease: leasePlaceOf(outputs),
    ...(context === undefined || namespace === undefined || kafka === undefined ? {} : { kafka: { context, namespace, name: kafka } }),
    ...(tier1 === undefined ? {} : { tier1: { context: tier1.context, namespace: tier1.namespace, gateway: tier1.gateway } }),
  };
}
