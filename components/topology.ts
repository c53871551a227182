import * as pulumi from '@pulumi/pulumi';

import { givenNamespaces } from '../config/given-namespace.ts';
import { clusterCaSecret, regionHostname, trustSecret } from '../config/names.ts';
import type { Configuration, RegionConfiguration } from '../config/schema.ts';
import { checkBrokers, checkRegion, checkTier1 } from './checks.ts';
import type { Cluster } from './cluster.ts';
import { type Changes, trafficLeft } from './departure.ts';
import { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import { KafkaCluster } from './kafka-cluster.ts';
import { type Operators, operatorsOf } from './operators.ts';
import { Previous } from './previous.ts';
import type { RegionOutputs, SkippedRegions } from './skipped.ts';
import { Tier1Failover } from './tier1-failover.ts';
import { TrafficGenerators } from './traffic-generators.ts';
import { tsbClusterNames } from './tsb-clusters.ts';
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
  /** Where they are asked for. */
  readonly generators: TrafficGenerators | undefined;
  /** The program must not end before: then the engine deletes the regions that departed. */
  readonly trafficGone: Promise<void>;
}

/** What the run before left, and what is special about this one. */
export interface Run {
  /** Nothing is done about them; of each there is only what others have of it. */
  readonly skipped: SkippedRegions;
  readonly changes: Changes;
  readonly previous: Previous;
}

/** Gives the cluster of a kubeconfig context. */
type Clusters = (context: string) => Cluster;

/** Builds Kafka, TSB's hierarchy, the regions and tier1 over the clusters that `cluster` gives by context. */
export function buildTopology(configuration: Configuration, cluster: Clusters, { skipped, changes, previous }: Run = firstRun): Topology {
  const { hostname, kafka, bridge, tsb, tier1, gcp } = configuration;
  const { api, acceptedWhen } = tsb;
  const given = givenNamespaces(configuration);
  const names = tsbClusterNames(configuration, cluster, skipped);
  const regions = configuration.regions.map((region, index) => ({ ...region, ...inTsb(configuration, names.regions[index] as pulumi.Output<string>) }));

  // Tier1 is the last to learn of a region and the first to forget it.
  const left = Promise.withResolvers<pulumi.Resource[]>();
  const operators = operatorsOf(configuration, cluster);
  const kafkaCluster = kafka.existing === undefined
    ? new KafkaCluster('kafka', { ...kafka, cluster: cluster(kafka.context), givenNamespace: given.kafka !== undefined, client: bridge.authentication }, { dependsOn: operators.in(kafka.context) })
    : new KafkaCluster('kafka', kafka);
  const workspace = new TsbWorkspace('tsb', {
    cluster: cluster(tsb.context),
    tsb,
    givenNamespace: given.tsb !== undefined,
    bridge,
    regions: regions.map((region) => ({ ...region, gateway: region.gateway.name })),
    edge: { namespace: tier1.namespace, tsbCluster: names.tier1 },
    retries: tier1.retries,
    after: left.promise,
  }, { dependsOn: names.checked });
  const bridges = regions.map((region) => ({
    name: region.name,
    region: skipped.has(region.name) ? skipped.get(region.name) : bridgeRegion(region, { configuration, cluster, operators, kafka: kafkaCluster, workspace }),
  }));
  const after = changes.departed.length > 0 ? [] : serving(bridges.map(({ region }) => region).filter((region) => region instanceof KafkaBridgeRegion));
  const front = new Tier1Failover('tier1', { cluster: cluster(tier1.context), tier1, givenNamespace: given.tier1 !== undefined, hostname, regions, bridge, api, tsb: workspace.edge, after, acceptedWhen, gcp }, { dependsOn: operators.in(tier1.context) });
  if (configuration.checks) runChecks(configuration, cluster, { kafka: kafkaCluster, regions: bridges, tier1: front, previous });
  const trafficGone = trafficLeft(changes, front.routed, bridge.timeouts).then(() => { left.resolve([]); });
  return { kafka: kafkaCluster, tsb: workspace, regions: bridges.filter((each): each is KnownRegion => each.region !== undefined), tier1: front, generators: trafficGenerators(front, configuration, { cluster, skipped }), trafficGone };
}

const firstRun: Run = { skipped: new Map(), changes: { arrived: [], departed: [] }, previous: new Previous({}) };

interface Around {
  readonly configuration: Configuration;
  readonly cluster: Clusters;
  readonly operators: Operators;
  readonly kafka: KafkaCluster;
  readonly workspace: TsbWorkspace;
}

function bridgeRegion(region: Omit<RegionConfiguration, 'tsbCluster'> & { tsbCluster: pulumi.Output<string> }, { configuration, cluster, operators, kafka, workspace }: Around): KafkaBridgeRegion {
  const { hostname, bridge, tsb: { api, envoyFilters, acceptedWhen }, tier1 } = configuration;
  const { name } = region;
  return new KafkaBridgeRegion(name, {
    ...region,
    cluster: cluster(region.context),
    hostname,
    regionHostname: regionHostname(name, hostname),
    scheme: tier1.tls === undefined ? 'http' : 'https',
    bridge,
    givenNamespace: givenNamespaces(configuration).bridge !== undefined,
    ...strimziOf(configuration.kafka),
    operator: configuration.operators.strimzi,
    ranked: tier1.mode === 'failover' && tier1.active !== 'all',
    bootstrapServers: kafka.bootstrapServers,
    authorities: kafka.authorities,
    api,
    envoyFilters,
    retries: tier1.retries,
    tsb: workspace.parentsOf(name),
    acceptedWhen,
  }, { dependsOn: operators.in(region.context) });
}

/** Those in a cluster that is skipped stay as they are, like everything there. */
function trafficGenerators(tier1: Tier1Failover, configuration: Configuration, { cluster, skipped }: Pick<Around, 'cluster'> & Pick<Run, 'skipped'>): TrafficGenerators | undefined {
  const { generators: settings, regions, tier1: { dns }, gcp } = configuration;
  if (settings?.context === undefined || regions.some(({ name, context }) => context === settings.context && skipped.has(name))) return undefined;
  const resolve = dns === undefined && gcp?.dnsZone === undefined ? tier1.resolve : undefined;
  return new TrafficGenerators('generators', { cluster: cluster(settings.context), settings, givenNamespace: givenNamespaces(configuration).generators !== undefined, url: tier1.url, caCertificate: tier1.caCertificate, resolve }, { dependsOn: [tier1] });
}

/** A region that is skipped is not looked at. */
function runChecks(configuration: Configuration, cluster: Clusters, { kafka, regions, tier1, previous }: { kafka: KafkaCluster; regions: readonly { name: string; region: RegionOutputs | undefined }[]; tier1: Tier1Failover; previous: Previous }): void {
  checkBrokers(kafka, configuration.kafka, cluster);
  const made = configuration.regions.flatMap((settings) => {
    const region = regions.find(({ name }) => name === settings.name)?.region;
    return region instanceof KafkaBridgeRegion ? [{ settings, region }] : [];
  });
  for (const { settings, region } of made) checkRegion(region, configuration, { settings, cluster: cluster(settings.context) });
  checkTier1(tier1, configuration, { regions: made, previous });
}

/** Kafka's operator and the bridges' are of one version; where Kafka is somebody else's, the bridges' is today's. */
function strimziOf(kafka: Configuration['kafka']): { strimziApi: 'v1' | 'v1beta2'; trustSecret: string } {
  if (kafka.existing !== undefined || kafka.api === 'v1') return { strimziApi: 'v1', trustSecret };
  return { strimziApi: kafka.api, trustSecret: clusterCaSecret(kafka.name) };
}

/** What TSB calls a region's cluster, and the network that it is set up to be in, if any. */
function inTsb({ tsb: { setup } }: Configuration, tsbCluster: pulumi.Output<string>) {
  if (setup === undefined) return { tsbCluster };
  return { tsbCluster, network: tsbCluster.apply((name) => (Object.hasOwn(setup.networks, name) ? setup.networks[name] : undefined)) };
}

/** Regions once they can serve: tier1 must not send requests to one that is still being made. In a preview they are what they will be. */
function serving(regions: readonly KafkaBridgeRegion[]): pulumi.Input<pulumi.Resource[]> {
  if (pulumi.runtime.isDryRun()) return [...regions];
  return new Promise((resolve) => pulumi.all(regions.flatMap(({ bridge, gatewayAddress }) => [bridge, gatewayAddress])).apply(() => { resolve([...regions]); }));
}
