import { buildHierarchy } from '../hierarchy.ts';
import { installKinds, kinds, unhonoured } from '../kinds.ts';
import type { Kind, Parent } from '../kinds.ts';
import type { Snapshot, TsbObject, Verdict } from '../model.ts';
import { directCopies } from './direct.ts';
import { eastWest } from './eastwest.ts';
import { gateways } from './gateways.ts';
import { ignoredOverlays, installedGateway } from './install.ts';
import { judge } from './judge.ts';
import type { Wanted } from './objects.ts';
import { warnings } from './warnings.ts';
import { buildWorld } from './world.ts';

export interface Translation {
  /** Everything that should be in the clusters, each object once. */
  readonly wanted: readonly Wanted[];
  /** Of every object of the snapshot. */
  readonly verdicts: ReadonlyMap<TsbObject, Verdict>;
}

/** From TSB's objects in all clusters to Kubernetes and Istio objects per cluster. Pure: the same snapshot gives the same answer. */
export function translate({ objects, clusters }: Snapshot): Translation {
  const installs = objects.filter((object) => kindOf(object, installKinds));
  const hierarchy = buildHierarchy(objects.filter((object) => !installs.includes(object)), parentsOf);
  const judged = judge(hierarchy, clusters);
  const world = buildWorld(judged, clusters);
  const wanted = [
    ...eastWest(world), ...gateways(world), ...directCopies(judged.placed, clusters),
    ...installs.flatMap((object) => clusters.filter(({ context }) => context === object.cluster).flatMap((cluster) => installedGateway(world, cluster, object))),
  ];
  const verdicts = new Map(objects.map((object) => {
    const refusal = hierarchy.refused.get(object) ?? judged.refused.get(object);
    const overlays = installs.includes(object) ? ignoredOverlays(object) : [];
    const ignored = [...unhonoured(kindOf(object, [...kinds, ...installKinds])?.honoured ?? true, object.spec), ...overlays]
      .map((path) => `${path} is not honoured by this stand-in`);
    return [object, refusal === undefined
      ? { state: 'ACCEPTED', message: 'translated', warnings: [...ignored, ...warnings(world, object)] } as const
      : { state: 'FAILED', message: refusal, warnings: ignored } as const];
  }));
  return { wanted: unique(wanted), verdicts };
}

function kindOf({ apiVersion, kind }: TsbObject, among: readonly Kind[]): Kind | undefined {
  return among.find((candidate) => candidate.apiVersion === apiVersion && candidate.kind === kind);
}

/** Istio objects belong to the group that one of their annotations names; EnvoyFilters can only be in Istio-internal groups. */
function parentsOf(object: TsbObject): readonly Parent[] {
  const known = kindOf(object, kinds)?.parents;
  if (known) return known;
  const annotations = object.metadata.annotations ?? {};
  const group = (['gatewayGroup', 'trafficGroup', 'securityGroup'] as const).find((parent) => `tsb.tetrate.io/${parent}` in annotations);
  return ['organization', 'tenant', 'workspace', object.kind === 'EnvoyFilter' || group === undefined ? 'istioInternalGroup' : group];
}

/** Several rules to one host want the same DestinationRule: each object once. */
function unique(wanted: readonly Wanted[]): Wanted[] {
  const byKey = new Map<string, Wanted>();
  for (const one of wanted) {
    const { kind, apiVersion, metadata } = one.object;
    const key = [one.cluster.context, apiVersion, kind, metadata.namespace, metadata.name].join(' ');
    if (!byKey.has(key)) byKey.set(key, one);
  }
  return [...byKey.values()];
}
