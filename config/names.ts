import { createHash } from 'node:crypto';

/**
 * The one place where names of Kubernetes and TSB objects come from. They are part of running systems:
 * a changed name is another object.
 */

/** Longest host name. */
export const longestHost = 253;

/** Longest DNS label: names of Services and pods, and values of labels. */
export const longestLabel = 63;

/** The two Services of a bridge: the one that a peer region may serve as well, and the one that only its own region reaches, for consumers, which live on one bridge. */
export function bridgeServices(bridge: string): { shared: string; local: string } {
  return { shared: `${bridge}-http`, local: `${bridge}-local` };
}

/** Secret with the certificate that brokers are trusted by, in every region. */
export const trustSecret = 'kafka-ca';

/** The same where Kafka is Strimzi's of old: as Strimzi calls it beside a Kafka of this name. */
export function clusterCaSecret(kafka: string): string {
  return `${kafka}-cluster-ca-cert`;
}

/** The two Secrets of the CA that signs clients of a Kafka of this name, as Strimzi calls them. Source: KafkaResources of Strimzi. */
export function clientsCa(kafka: string): { certificate: string; key: string } {
  return { certificate: `${kafka}-clients-ca-cert`, key: `${kafka}-clients-ca` };
}

/** The Service that Strimzi makes for a bridge of this name. */
export function strimziBridgeService(bridge: string): string {
  return `${bridge}-bridge-service`;
}

/** The Deployment that Strimzi makes for it. The EnvoyFilter of its sidecars has this name, too. */
export function strimziBridgeDeployment(bridge: string): string {
  return `${bridge}-bridge`;
}

/** Tells pods of this program's bridge from remote endpoints that carry the shared Service's selector labels. */
export const localPodLabel = { 'kafka-bridge-failover/local': 'true' } as const;
/** On Services that a peer region may serve. */
export const failoverLabel = { failover: 'enabled' } as const;

/** The pool's name gives pods their names: <kafka>-kafka-<id>. */
export const nodePool = 'kafka';

/** The claim of a broker's volume, as Strimzi calls it: after the id of the volume, where there may be several. */
export function brokerClaim(kafka: string, broker: number): string {
  return `data-0-${kafka}-${nodePool}-${broker}`;
}

/** TSB groups of one region: its gateway's routes, and its Istio objects. */
export function regionGroup(region: string): string {
  return `bridges-${region}`;
}

/** The host name that is pinned to one region. */
export function regionHostname(region: string, hostname: string): string {
  return `${region}.${hostname}`;
}

/** @param suffix tells a further listener's names from the first one's */
export function bootstrapHost(domain: string, suffix = ''): string {
  return `bootstrap${suffix}.${domain}`;
}

export function brokerHost(id: number, domain: string, suffix = ''): string {
  return `broker-${id}${suffix}.${domain}`;
}

/** Service by which Strimzi exposes an external listener. */
export function listenerService(kafka: string, listener: string): string {
  return `${kafka}-kafka-${listener}-bootstrap`;
}

/** What ExternalDNS's annotations begin with: up to 0.21, and since, which reads the former no more and takes away what it published by them. An annotation that it does not read is nothing to it. */
const dnsPrefixes = ['external-dns.alpha.kubernetes.io', 'external-dns.kubernetes.io'];

/** The Service annotations by which ExternalDNS publishes host names with the Service's address: one for each of its releases. */
export const dnsAnnotations: readonly string[] = dnsPrefixes.map((prefix) => `${prefix}/hostname`);

/** Those that say by which address instead. */
export const dnsTargets: readonly string[] = dnsPrefixes.map((prefix) => `${prefix}/target`);

/** Fully qualified name of a Service in its own cluster. */
export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc.cluster.local`;
}

/** KafkaTopic of a topic. Kafka's names allow more than Kubernetes' do: one that does not fit is made to, with a part of its hash, as two may fit alike. */
export function topicResource(topic: string): string {
  if (topic.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(topic)) return topic;
  const fitting = topic.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 200);
  return [...(fitting === '' ? [] : [fitting]), createHash('sha256').update(topic).digest('hex').slice(0, 8)].join('-');
}
