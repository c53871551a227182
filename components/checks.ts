import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';

import { listenerHosts, outsideListener, routeNames } from '../config/listener-hosts.ts';
import { listenerService, regionHostname } from '../config/names.ts';
import type { Configuration, InstalledKafka, RegionConfiguration } from '../config/schema.ts';
import { selectorOf } from './bridge-spec.ts';
import type { BridgeInput } from './checks/bridge.ts';
import type { BrokersInput } from './checks/brokers.ts';
import type { SidecarsInput } from './checks/sidecars.ts';
import type { Tier1Input } from './checks/tier1.ts';
import type { Cluster } from './cluster.ts';
import { loadBalancerAddress } from './gateway.ts';
import type { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { Previous } from './previous.ts';
import type { Tier1Failover } from './tier1-failover.ts';
import { entrancePort } from './tier1-routes.ts';

/**
 * Looks at what was made, as a part of `up`: each is a command that fails when something is wrong, and with it `up`. One that was right is
 * looked at again only when its own settings or addresses have changed. A preview looks at nothing.
 */

/** Brokers, by their advertised names, over TLS. @param cluster of a Kafka that the program makes */
export function checkBrokers(kafka: KafkaCluster, settings: Configuration['kafka'], cluster: (context: string) => Cluster): void {
  const made = settings.existing === undefined ? settings : undefined;
  const input: pulumi.Inputs & Record<keyof BrokersInput, unknown> = {
    caCertificate: kafka.caCertificate,
    servers: kafka.bootstrapServers.apply((bootstrap) => [...bootstrap.split(','), ...(made === undefined ? [] : brokerServers(made))]),
    addresses: made === undefined ? {} : kafka.bootstrapServers.apply(() => balancerAddresses(made, cluster(made.context))),
    place: made && { context: made.context, namespace: made.namespace },
  };
  check('kafka-brokers-check', { look: 'brokers', input, after: settings }, kafka);
}

/** One region: that its bridge answers, and that the bridge's pods are in the mesh. */
export function checkRegion(region: KafkaBridgeRegion, { hostname, bridge }: Configuration, { settings, cluster }: { settings: RegionConfiguration; cluster: Cluster }): void {
  const { name, context } = settings;
  const { namespace } = bridge;
  const after = { bridge, settings, hostname };
  const answering: pulumi.Inputs & Record<Exclude<keyof BridgeInput, 'port'>, unknown> = { region: name, context, namespace, address: region.gatewayAddress, hostname: regionHostname(name, hostname) };
  check(`${name}-bridge-check`, { look: 'bridge', input: region.bridge.apply(() => answering), after }, region);
  const pods: pulumi.Inputs & Record<keyof SidecarsInput, unknown> = { kubeconfig: cluster.kubeconfig, context, namespace, selector: selectorOf(bridge.name) };
  check(`${name}-sidecars-check`, { look: 'sidecars', input: region.bridge.apply(() => pods), after }, region);
}

/**
 * The way that clients go: by tier1, with the name that all regions share and with the own one of each that gets requests. Where a region is skipped it is what it was,
 * and nothing where there was none: that region may well not answer, and the run is there to be done all the same.
 */
export function checkTier1(tier1: Tier1Failover, { hostname, tier1: settings, bridge, tsb, regions: all }: Configuration, { regions, previous }: { regions: readonly { settings: RegionConfiguration; region: KafkaBridgeRegion }[]; previous: Previous }): void {
  const isPartial = regions.length < all.length;
  if (isPartial && previous.outputsOf('kbf:index:Tier1Failover$command:local:Command', 'tier1-check') === undefined) return;
  const weightOf = (region: string): number | undefined => (settings.mode === 'weighted' ? settings.weights?.[region] : undefined);
  const hostnames = [hostname, ...regions.filter(({ settings: { name } }) => weightOf(name) !== 0).map(({ settings: { name } }) => regionHostname(name, hostname))];
  const { context, namespace, tls } = settings;
  const asked: pulumi.Inputs & Record<keyof Tier1Input, unknown> = { context, namespace, address: tier1.address, port: entrancePort(tls !== undefined), hostnames, caCertificate: tls === undefined ? null : tier1.caCertificate };
  const serving = regions.flatMap(({ region }) => [region.bridge, region.gatewayAddress]);
  check('tier1-check', { look: 'tier1', input: pulumi.all([tier1.routed, ...serving]).apply(() => asked), after: { settings, bridge, tsb } }, tier1, isPartial ? { ignoreChanges: ['interpreter', 'stdin', 'triggers'] } : {});
}

interface Check {
  readonly look: 'brokers' | 'bridge' | 'sidecars' | 'tier1';
  readonly input: pulumi.Input<pulumi.Inputs>;
  /** Settings after whose change it is looked at again, beside the input itself. */
  readonly after: unknown;
}

/** From where the engine runs the program, and its plugins: so it is no other command in another checkout. */
const script = relative(process.cwd(), fileURLToPath(new URL('checks/run.ts', import.meta.url)));

/** The script runs on the Node.js that the engine finds for the program, too: it is a TypeScript file, as the program is. */
function check(name: string, { look, input, after }: Check, parent: pulumi.Resource, opts: pulumi.CustomResourceOptions = {}): void {
  new local.Command(
    name,
    {
      interpreter: ['node', script],
      create: look,
      stdin: pulumi.jsonStringify(input),
      triggers: [createHash('sha256').update(JSON.stringify(after, withoutPaths)).digest('hex')],
    },
    { parent, ...opts },
  );
}

/** By which file a cluster is reached is another thing on each machine, and no reason to look again. */
function withoutPaths(key: string, value: unknown): unknown {
  return key === 'kubeconfig' ? undefined : value;
}

/** Each broker's own name. Ports of nodes are known to Kafka only: there bootstrap, which is every node, stands for the brokers. */
function brokerServers(kafka: InstalledKafka): string[] {
  const listener = outsideListener(kafka.listeners);
  if (listener === undefined || listener.type === 'nodeport') return [];
  const port = listener.type === 'loadbalancer' ? listener.port : 443;
  return listenerHosts(kafka, listener).brokers.map((host) => `${host}:${port}`);
}

/** Where names of brokers lead, on machines where DNS does not have them. */
function balancerAddresses(kafka: InstalledKafka, { reader }: Cluster): pulumi.Output<Record<string, string>> {
  const listener = outsideListener(kafka.listeners);
  if (listener?.type !== 'loadbalancer') return pulumi.output<Record<string, string>>({});
  const { bootstrap, brokers } = listenerHosts(kafka, listener);
  const address = (service: string) =>
    reader.awaitField({ apiVersion: 'v1', kind: 'Service', namespace: kafka.namespace, name: service }, { select: loadBalancerAddress, what: 'load balancer address', timeoutMs: 60_000 });
  const services = routeNames(kafka.name, listener);
  const places = [[bootstrap, listenerService(kafka.name, listener.name)], ...brokers.map((host, id) => [host, services.broker(id)])] as [string, string][];
  return pulumi.all(places.map(([host, service]) => address(service).apply((found) => [host, found] as const))).apply((found) => Object.fromEntries(found));
}
