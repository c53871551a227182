import * as pulumi from '@pulumi/pulumi';

import { refuseMissingSecrets } from './components/client-secrets.ts';
import { clustersOf } from './components/cluster.ts';
import { deleteQuickly } from './components/deletion.ts';
import { regionChanges } from './components/departure.ts';
import { refuseFixedVolumes } from './components/fixed-volumes.ts';
import { refuseForeignNamespaces } from './components/foreign-namespaces.ts';
import { refuseLeftVolumes } from './components/left-volumes.ts';
import { refuseLostNamespaces } from './components/lost-namespaces.ts';
import { refuseMissingNamespaces } from './components/missing-namespaces.ts';
import { readPrevious } from './components/previous.ts';
import { refuseOtherSdk } from './components/sdk-version.ts';
import { skippedRegions } from './components/skipped.ts';
import { regionHostname } from './config/names.ts';
import { buildTopology } from './components/topology.ts';
import { refuseUnchangeable } from './components/unchangeable.ts';
import { readConfiguration } from './config/stack-settings.ts';

refuseOtherSdk();
const configuration = readConfiguration();
deleteQuickly();
const previous = await readPrevious();
refuseUnchangeable(previous, configuration);
const skipped = skippedRegions(previous);
const changes = regionChanges(previous, configuration.regions, skipped);
const cluster = clustersOf(configuration);
await refuseForeignNamespaces({ previous, configuration, cluster, skipped });
// They only look, so all at the same time. The first of them that refuses is told: where a namespace is missing, what has to be in it is as well.
const looks = [refuseLostNamespaces({ previous, configuration, cluster, skipped }), refuseMissingNamespaces({ previous, configuration, cluster, skipped }), refuseLeftVolumes({ previous, configuration, cluster }), refuseFixedVolumes({ previous, configuration, cluster }), refuseMissingSecrets({ configuration, cluster, skipped })];
await Promise.allSettled(looks);
for (const look of looks) await look;
const topology = buildTopology(configuration, cluster, { skipped, changes, previous });
await topology.trafficGone;

/** What clients call. */
export const hostname = configuration.hostname;
export const url = topology.tier1.url;
/** Address of tier1's load balancer, behind every host name below. */
export const tier1Address = topology.tier1.address;
/** PEM that clients have to trust to call it; empty where it is plain HTTP, or where public authorities are enough. */
export const caCertificate = topology.tier1.caCertificate;
/** Host names with their address and port, for where no DNS has them: curl takes an IP address by `--resolve <name>:<port>:<address>`, a host name by `--connect-to <name>:<port>:<address>:<port>`. */
export const resolve = topology.tier1.resolve;
/** The same, each as `curl --resolve` takes it; empty where tier1's address is a host name. */
export const curlResolve = topology.tier1.curlResolve;

/** Where tier1 runs, and the region that the others stand by for, if any, or each one's share. */
export const tier1 = {
  context: configuration.tier1.context,
  namespace: configuration.tier1.namespace,
  gateway: configuration.tier1.name,
  mode: configuration.tier1.mode,
  ...(configuration.tier1.active === 'all' ? {} : { first: configuration.tier1.active.first }),
  ...(configuration.tier1.weights === undefined ? {} : { weights: configuration.tier1.weights }),
  // With the deprecated kinds only TSB knows who stands by.
  ...(configuration.tier1.mode === 'failover' && configuration.tsb.api === 'tier1gateway' ? { byPlace: true } : {}),
};

/** Where Kafka is, and by which Secret beside each bridge a client says to it who it is. */
export const kafka = {
  ...(configuration.kafka.existing === undefined
    ? { context: configuration.kafka.context, namespace: configuration.kafka.namespace, name: configuration.kafka.name }
    : {}),
  bootstrapServers: topology.kafka.bootstrapServers,
  caCertificate: topology.kafka.caCertificate,
  listeners: topology.kafka.listeners,
  ...(configuration.bridge.authentication === undefined ? {} : { authentication: configuration.bridge.authentication }),
};

export const regions = pulumi.output(
  topology.regions.map(({ name, region }) => ({
    name,
    context: configuration.regions.find((each) => each.name === name)?.context,
    namespace: configuration.bridge.namespace,
    bridge: region.bridge,
    gateway: configuration.regions.find((each) => each.name === name)?.gateway.name,
    hostname: regionHostname(name, hostname),
    url: region.regionUrl,
    gatewayAddress: region.gatewayAddress,
  })),
);
