import type { Placed } from '../hierarchy.ts';
import { owns } from '../hierarchy.ts';
import type { ClusterFacts } from '../model.ts';
import { istioObject } from './objects.ts';
import type { Wanted } from './objects.ts';

/**
 * Istio objects that a person wrote for an Istio internal group. TSB sends them to every cluster whose namespace the group owns, as a
 * copy: the original carries `istio.io/rev: tsb`, which istiod does not look at.
 */
export function directCopies(placed: readonly Placed[], clusters: readonly ClusterFacts[]): Wanted[] {
  return placed.filter(isDirect).flatMap((place) => {
    const { name, namespace = '' } = place.object.metadata;
    return clusters
      .filter((cluster) => cluster.namespaces.has(namespace) && owns(place, cluster.name, namespace))
      .map((cluster) => ({ cluster, source: place.object, object: istioObject('EnvoyFilter', { name: `${name}-tsb`, namespace }, place.object.spec as object) }));
  });
}

/** The revision label that keeps istiod off what is TSB's. */
export const directLabel = { 'istio.io/rev': 'tsb' } as const;

function isDirect({ object }: Placed): boolean {
  return object.apiVersion.startsWith('networking.istio.io/') && object.kind === 'EnvoyFilter';
}
