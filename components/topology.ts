import type { Configuration, InstalledKafka } from '../config/schema.ts';
import { plainError } from './cluster-reader.ts';
import type { Cluster } from './cluster.ts';
import { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { regionHostname } from '../config/names.ts';
import { Tier1Failover } from './tier1-failover.ts';
import { TsbWorkspace } from './tsb-workspace.ts';

/** Everything that a configuration asks for. */
export interface Topology {
  readonly kafka: KafkaCluster;
  readonly tsb: TsbWorkspace;
  /** In the configuration's order. */
  readonly regions: readonly { readonly name: string; readonly region: KafkaBridgeRegion }[];
  readonly tier1: Tier1Failover;
}

/** Builds Kafka, TSB's hierarchy, the regions and tier1 over the clusters that `cluster` gives by context. */
export function buildTopology(configuration: Configuration, cluster: (context: string) => Cluster): Topology {
  const { hostname, kafka, bridge, tsb, tier1 } = configuration;
  if (kafka.existing !== undefined) throw plainError('kafka.existing: a Kafka that exists cannot be used yet.');
  const regions = configuration.regions.map(named);
  const { acceptedWhen } = tsb;

  const kafkaCluster = new KafkaCluster('kafka', { ...kafka, listener: outsideListener(kafka), cluster: cluster(kafka.context) });
  const workspace = new TsbWorkspace('tsb', { ...tsb, tenant: tsb.tenant.name, cluster: cluster(tsb.context), regions, edge: named(tier1), perTryMs: bridge.timeouts.perTryMs });
  const bridges = regions.map(({ name, context, replicas }) => ({
    name,
    region: new KafkaBridgeRegion(name, {
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
  const front = new Tier1Failover('tier1', { ...tier1, cluster: cluster(tier1.context), hostname, regions, timeouts: bridge.timeouts, tsb: workspace.edge, acceptedWhen });
  return { kafka: kafkaCluster, tsb: workspace, regions: bridges, tier1: front };
}

/** The listener that bridges come in by. */
function outsideListener({ listeners }: InstalledKafka): InstalledKafka['listeners'][number] {
  const listener = listeners.find(({ type }) => type !== 'internal');
  if (listener === undefined) throw plainError('kafka.listeners: none of them can be reached from another cluster.');
  return listener;
}

function named<P extends { context: string; tsbCluster?: string | undefined }>(place: P): P & { tsbCluster: string } {
  if (place.tsbCluster === undefined) throw plainError(`tsbCluster of context ${place.context} is not configured.`);
  return { ...place, tsbCluster: place.tsbCluster };
}
