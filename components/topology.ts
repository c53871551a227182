import * as pulumi from '@pulumi/pulumi';

import type { Configuration } from '../config/schema.ts';
import { plainError } from './cluster-reader.ts';
import type { Cluster } from './cluster.ts';
import { type Changes, trafficLeft } from './departure.ts';
import { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { regionHostname } from '../config/names.ts';
import type { RegionOutputs, SkippedRegions } from './skipped.ts';
import { Tier1Failover } from './tier1-failover.ts';
import { TsbWorkspace } from './tsb-workspace.ts';

export interface KnownRegion {
  readonly name: string;
  readonly region: RegionOutputs;
}

/** Everything that a configuration asks for. */
export interface Topology {
  readonly kafka: KafkaCluster;
  readonly tsb: TsbWorkspace;
  /** In the configuration's order; without those that are skipped and never were. */
  readonly regions: readonly KnownRegion[];
  readonly tier1: Tier1Failover;
  /** The program must not end before: then the engine deletes the regions that departed. */
  readonly trafficGone: Promise<void>;
}

/** What the run before left, and what is special about this one. */
export interface Run {
  /** Nothing is done about them; of each there is only what others have of it. */
  readonly skipped: SkippedRegions;
  readonly changes: Changes;
}

/** Builds Kafka, TSB's hierarchy, the regions and tier1 over the clusters that `cluster` gives by context. */
export function buildTopology(configuration: Configuration, cluster: (context: string) => Cluster, { skipped, changes }: Run = firstRun): Topology {
  const { hostname, kafka, bridge, tsb, tier1 } = configuration;
  const regions = configuration.regions.map(named);
  const { acceptedWhen } = tsb;

  // Tier1 is the last to learn of a region and the first to forget it.
  const left = Promise.withResolvers<pulumi.Resource[]>();
  const kafkaCluster = new KafkaCluster('kafka', kafka.existing === undefined ? { ...kafka, cluster: cluster(kafka.context) } : kafka);
  const workspace = new TsbWorkspace('tsb', { ...tsb, tenant: tsb.tenant.name, cluster: cluster(tsb.context), regions, edge: named(tier1), perTryMs: bridge.timeouts.perTryMs, after: left.promise });
  const bridges = regions.map(({ name, context, replicas }) => ({
    name,
    region: skipped.has(name) ? skipped.get(name) : new KafkaBridgeRegion(name, {
      cluster: cluster(context),
      hostname,
      regionHostname: regionHostname(name, hostname),
      replicas,
      bounds: bridge,
      bootstrapServers: kafkaCluster.bootstrapServers,
      caCertificate: kafkaCluster.caCertificate,
      tsb: workspace.parentsOf(name),
      acceptedWhen,
    }),
  }));
  const after = changes.departed.length > 0 ? [] : serving(bridges.map(({ region }) => region).filter((region) => region instanceof KafkaBridgeRegion));
  const front = new Tier1Failover('tier1', { ...tier1, cluster: cluster(tier1.context), hostname, regions, timeouts: bridge.timeouts, tsb: workspace.edge, after, acceptedWhen });
  const trafficGone = trafficLeft(changes, front.routed, bridge.timeouts).then(() => { left.resolve([]); });
  return { kafka: kafkaCluster, tsb: workspace, regions: bridges.filter((each): each is KnownRegion => each.region !== undefined), tier1: front, trafficGone };
}

const firstRun: Run = { skipped: new Map(), changes: { arrived: [], departed: [] } };

/** Regions once they can serve: tier1 must not send requests to one that is still being made. In a preview they are what they will be. */
function serving(regions: readonly KafkaBridgeRegion[]): pulumi.Input<pulumi.Resource[]> {
  if (pulumi.runtime.isDryRun()) return [...regions];
  return new Promise((resolve) => pulumi.all(regions.flatMap(({ bridge, gatewayAddress }) => [bridge, gatewayAddress])).apply(() => { resolve([...regions]); }));
}

function named<P extends { context: string; tsbCluster?: string | undefined }>(place: P): P & { tsbCluster: string } {
  if (place.tsbCluster === undefined) throw plainError(`tsbCluster of context ${place.context} is not configured.`);
  return { ...place, tsbCluster: place.tsbCluster };
}
