import type { OperatorRelease } from '../../../config/versions.ts';
import { Failure, type Kafka, type KafkaNodePool, type Listener } from './model.ts';
import { metadataOf, type Component } from './labels.ts';
import { authenticationError } from './listener-authentication.ts';

/** Ports that are always there: controllers among themselves, brokers among themselves. Plain text here, TLS in the real operator. */
export const internalPorts = { controlPlane: 9090, replication: 9091 };

/** One broker of one pool, and what its objects are called. */
export interface KafkaNode {
  readonly id: number;
  readonly pool: KafkaNodePool;
  /** Pod, Secret and ConfigMap: `<cluster>-<pool>-<id>`. */
  readonly name: string;
  /** Host name inside the cluster. */
  readonly host: string;
  readonly broker: boolean;
  readonly controller: boolean;
}

/** A Kafka cluster as it is to be. */
export interface KafkaPlan {
  readonly kafka: Kafka;
  readonly pools: readonly KafkaNodePool[];
  readonly nodes: readonly KafkaNode[];
  /** Listeners for clients. */
  readonly listeners: readonly Listener[];
  readonly version: string;
  /** The operator that makes it. */
  readonly release: OperatorRelease;
}

/** @throws Failure for what the real operator refuses, and for what this one can not do */
export function planKafka(kafka: Kafka, allPools: readonly KafkaNodePool[], release: OperatorRelease): KafkaPlan {
  const { name, namespace } = kafka.metadata;
  const pools = allPools.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['strimzi.io/cluster'] === name)
    .sort((one, other) => one.metadata.name.localeCompare(other.metadata.name));
  if (pools.length === 0) throw new Failure('InvalidConfigurationException', `No KafkaNodePools found for Kafka cluster ${name}`);
  const version = versionOf(kafka, release);
  // Also those of pools that come later: no pool grows into another.
  const taken = new Set(pools.flatMap(keptIds));
  const nodes = pools.flatMap((pool) => nodeIds(pool, taken).map((id) => node(kafka, pool, id)));
  if (!nodes.some(({ controller }) => controller)) throw new Failure('InvalidResourceException', `At least one KafkaNodePool with the controller role and at least one replica is required when KRaft mode is enabled`);
  const plan = { kafka, pools, nodes, listeners: kafka.spec.kafka.listeners, version, release };
  checkListeners(plan);
  checkReplication(plan);
  return plan;
}

/** What the Kafka objects belong to. */
export function kafkaComponent(kafka: Kafka): Component {
  return { owner: kafka, kind: 'Kafka', name: `${kafka.metadata.name}-kafka`, type: 'kafka' };
}

/** Metadata of an object of one pool. */
export function poolMetadata(plan: KafkaPlan, pool: KafkaNodePool, name: string, more: { labels?: Record<string, string>; annotations?: Record<string, string> } = {}): ReturnType<typeof metadataOf> {
  return metadataOf(kafkaComponent(plan.kafka), name, { ...more, labels: { 'strimzi.io/pool-name': pool.metadata.name, ...more.labels } });
}

function versionOf(kafka: Kafka, { kafka: served }: OperatorRelease): string {
  const version = kafka.spec.kafka.version ?? served.at(-1) ?? '';
  if (served.includes(version)) return version;
  throw new Failure('UnsupportedKafkaVersionException', `Unsupported Kafka.spec.kafka.version: ${version}. Supported versions are: [${served.join(', ')}]`);
}

/** The ids that a pool has, then those that its annotation asks for, then the lowest free ones. */
export function nodeIds(pool: KafkaNodePool, taken: Set<number>): number[] {
  const had = keptIds(pool);
  const wanted = parseIds(pool.metadata.annotations?.['strimzi.io/next-node-ids'] ?? '');
  for (const id of had) taken.add(id);
  const ids = [...had];
  for (const id of wanted) if (ids.length < pool.spec.replicas && !taken.has(id)) taken.add(ids[ids.push(id) - 1] ?? id);
  for (let id = 0; ids.length < pool.spec.replicas; id += 1) if (!taken.has(id)) taken.add(ids[ids.push(id) - 1] ?? id);
  return ids;
}

/** Those that it has and keeps. */
function keptIds({ status, spec }: KafkaNodePool): number[] {
  return ((status?.['nodeIds'] ?? []) as number[]).slice(0, spec.replicas);
}

/** `[0-2, 7]` as numbers; anything else is nothing, as in the real operator (which logs it). */
function parseIds(text: string): number[] {
  const inside = /^\s*\[(.*)\]\s*$/.exec(text)?.[1];
  if (inside === undefined) return [];
  return inside.split(',').flatMap((part) => {
    const [, from, to] = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part) ?? [];
    if (from === undefined) return [];
    const [first, last] = [Number(from), Number(to ?? from)];
    const step = last < first ? -1 : 1;
    return Array.from({ length: Math.min(Math.abs(last - first) + 1, 1000) }, (_each, index) => first + step * index);
  });
}

function node(kafka: Kafka, pool: KafkaNodePool, id: number): KafkaNode {
  const cluster = kafka.metadata.name;
  const name = `${cluster}-${pool.metadata.name}-${String(id)}`;
  const { roles } = pool.spec;
  return { id, pool, name, host: `${name}.${cluster}-kafka-brokers.${kafka.metadata.namespace}.svc`, broker: roles.includes('broker'), controller: roles.includes('controller') };
}

const offered: readonly string[] = ['internal', 'cluster-ip', 'loadbalancer', 'nodeport'];

function checkListeners({ kafka, listeners }: KafkaPlan): void {
  if (listeners.some(({ type }) => type === 'route')) {
    throw new Failure('NoStackTraceThrowable', `The OpenShift route API is not available in this Kubernetes cluster. Exposing Kafka cluster ${kafka.metadata.name} using routes is not possible.`);
  }
  const errors = listeners.flatMap((listener) => {
    const { name, type, tls, configuration = {} } = listener;
    if (!offered.includes(type)) return [`listener ${name} is of type ${type}, and nothing in this cluster serves that (${offered.join(', ')} are served)`];
    const unknowing = authenticationError(listener);
    if (unknowing !== undefined) return [unknowing];
    if (tls && configuration.brokerCertChainAndKey === undefined) return [`listener ${name} needs configuration.brokerCertChainAndKey: this stand-in issues no certificates for brokers`];
    const bound = configuration.bootstrap !== undefined || configuration.brokers?.some(({ annotations, labels }) => annotations ?? labels);
    return type === 'internal' && bound ? [`listener ${name} cannot configure bootstrap or broker labels and annotations because it is an internal listener`] : [];
  });
  const seen = new Set<number>(Object.values(internalPorts));
  for (const { name, port } of listeners) {
    if (seen.has(port)) errors.push(`listener ${name} uses port ${String(port)}, which is taken`);
    seen.add(port);
  }
  if (errors.length > 0) throw new Failure('InvalidResourceException', `Listener configuration is not valid: [${errors.join(', ')}]`);
}

function checkReplication({ kafka, nodes }: KafkaPlan): void {
  const brokers = nodes.filter(({ broker }) => broker).length;
  for (const option of ['default.replication.factor', 'offsets.topic.replication.factor', 'transaction.state.log.replication.factor', 'min.insync.replicas', 'transaction.state.log.min.isr']) {
    const value = Number(kafka.spec.kafka.config?.[option] ?? 1);
    if (value > brokers) {
      throw new Failure('InvalidResourceException', `Kafka configuration option '${option}' should be set to ${String(brokers)} or less because this cluster has only ${String(brokers)} Kafka broker(s).`);
    }
  }
}
