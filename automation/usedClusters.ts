import { resolve } from 'node:path';
import type { Configuration } from '../config/schema.ts';
import type { ClusterAddress } from './clusterProbe.ts';
import { isText } from './kubeconfigs.ts';
import type { Abandoned } from './orphans.ts';
import { clustersInState, descendants, nameOf, resourcesIn } from './stackState.ts';
import type { StackState } from './stackState.ts';

/** A cluster that an operation reaches, or would. */
export interface UsedCluster {
  readonly context: string;
  /** Undefined where it is known to the engine alone, which takes it from a cloud: such a cluster is not asked before. */
  readonly kubeconfig: string | undefined;
  /** What stands in it, in a person's words: `Kafka`, `region east`. */
  readonly parts: readonly string[];
  /** The regions among them. */
  readonly regions: readonly string[];
}

/** They are left as they are with a region in their cluster that is skipped. */
export const trafficGenerators = 'the traffic generators';

export type AskedCluster = UsedCluster & ClusterAddress;

/** The clusters that settings name, one for each context. */
export function clustersInSettings({ kafka, regions, tsb, tier1, generators }: Configuration): UsedCluster[] {
  return merged([
    ...(kafka.existing === undefined ? [{ ...address(kafka), parts: ['Kafka'], regions: [] }] : []),
    ...regions.map((region) => ({ ...address(region), parts: [`region ${region.name}`], regions: [region.name] })),
    { ...address(tsb), parts: ['TSB'], regions: [] },
    { ...address(tier1), parts: ['tier1'], regions: [] },
    ...(generators?.context === undefined ? [] : [{ ...address({ ...generators, context: generators.context }), parts: [trafficGenerators], regions: [] }]),
  ]);
}

/** The clusters that a stack has objects in. @param program the program's directory, where relative paths of its kubeconfigs begin */
export function clustersOfState(state: StackState, program: string): UsedCluster[] {
  return merged(clustersInState(state).map(({ provider, context, kubeconfig }) => {
    const inside = resourcesIn(state, new Set([provider]));
    // A component may also have something that is in no cluster, such as a command.
    const standsIn = (component: string): boolean => descendants(state, component).some((urn) => inside.has(urn));
    const regions = componentsOf(state, regionType).filter(standsIn).map(nameOf);
    const others = Object.entries(otherParts).filter(([type]) => componentsOf(state, type).some(standsIn)).map(([, part]) => part);
    const parts = [...others, ...regions.map((region) => `region ${region}`)];
    return { context, kubeconfig: kubeconfig === undefined || isText(kubeconfig) ? kubeconfig : resolve(program, kubeconfig), parts: parts.length > 0 ? parts : ['objects of an earlier run'], regions };
  }));
}

/** The clusters in which objects were left behind. */
export function clustersOfOrphans(orphans: readonly Abandoned[]): UsedCluster[] {
  return orphans.map(({ context, kubeconfig, resources }) => ({
    context, kubeconfig, parts: ['objects that were left behind'],
    regions: resources.filter(({ type }) => type === regionType).map(({ urn }) => nameOf(urn)),
  }));
}

/** Those of both; where a context is in both, the first says how it is reached, as far as it says so. */
export function together(first: readonly UsedCluster[], second: readonly UsedCluster[]): UsedCluster[] {
  const more = second.filter(({ context }) => !first.some((cluster) => cluster.context === context));
  const completed = first.map((cluster) => ({ ...cluster, kubeconfig: cluster.kubeconfig ?? second.find(({ context }) => context === cluster.context)?.kubeconfig }));
  return [...completed, ...more];
}

/** URNs of a region's component with all below it, and of everything else in its cluster. */
export function resourcesOfRegion(state: StackState, region: string, context: string): Set<string> {
  const component = componentsOf(state, regionType).find((urn) => nameOf(urn) === region);
  const providers = clustersInState(state).filter((cluster) => cluster.context === context).map(({ provider }) => provider);
  return new Set([...(component === undefined ? [] : [component, ...descendants(state, component)]), ...resourcesIn(state, new Set(providers))]);
}

const regionType = 'kbf:index:KafkaBridgeRegion';
const otherParts = { 'kbf:index:KafkaCluster': 'Kafka', 'kbf:index:TsbWorkspace': 'TSB', 'kbf:index:Tier1Failover': 'tier1' };

function componentsOf({ resources = [] }: StackState, type: string): string[] {
  return resources.filter((resource) => resource.type === type).map(({ urn }) => urn);
}

function address({ context, kubeconfig }: { context: string; kubeconfig?: string | undefined }): Pick<UsedCluster, 'context' | 'kubeconfig'> {
  return { context, kubeconfig };
}

function merged(clusters: readonly UsedCluster[]): UsedCluster[] {
  return [...Map.groupBy(clusters, ({ context }) => context).values()].map((same) => ({
    context: same[0]?.context ?? '',
    kubeconfig: same[0]?.kubeconfig,
    parts: same.flatMap(({ parts }) => parts),
    regions: same.flatMap(({ regions }) => regions),
  }));
}
