import { randomBytes } from 'node:crypto';
import type { OperatorRelease } from '../../../config/versions.ts';
import { serverText } from '../../bridge/cluster.ts';
import { neededBy, partitionsOf } from './availability.ts';
import { settleClientsCa } from './clients-ca.ts';
import type { KubernetesCluster } from './cluster.ts';
import { kafkaBasics, kafkaNodeObjects, nodePod, podSet, type KafkaFacts } from './kafka-objects.ts';
import type { Bootstrap } from './kafka-connection.ts';
import { settleMetadata } from './kafka-metadata.ts';
import { internalPorts, kafkaComponent, planKafka, type KafkaPlan } from './kafka-plan.ts';
import { bootstrapServiceName, brokerServiceName, isExternal, kafkaServices, serviceAddress } from './kafka-services.ts';
import { kafkaStatus, kafkaWarnings, poolStatus } from './kafka-status.ts';
import { wantedMetadata, type Running } from './kafka-version.ts';
import { selectorOf } from './labels.ts';
import { Failure, type Condition, type Kafka, type KafkaNodePool, type KafkaUser, type Node, type Pod, type Resource, type Secret, type Service, type Written } from './model.ts';
import type { Outcome } from './reconciler.ts';
import { removeStrangers } from './scram.ts';
import { unhonouredWarnings } from './status.ts';
import { usersWithPassword } from './user.ts';

/** What belongs to Kafkas beside themselves. */
export interface KafkaParts {
  readonly pools: readonly KafkaNodePool[];
  /** As they are whenever it is asked. */
  readonly users: () => Iterable<KafkaUser>;
}

/** Brings one Kafka about: Services and addresses first, then certificates and configuration, then its pods, one after the other where they change. */
export async function reconcileKafka(cluster: KubernetesCluster, kafka: Kafka, { pools, users }: KafkaParts, release: OperatorRelease): Promise<Outcome> {
  let warnings: Condition[] = unhonouredWarnings(kafka, 'Kafka');
  try {
    const plan = planKafka(kafka, pools, release);
    const live = await podsOf(cluster, plan);
    const metadata = wantedMetadata(plan.version, running(kafka, live), kafka.spec.kafka.metadataVersion);
    warnings = [...kafkaWarnings(plan), ...warnings];
    await cluster.apply([...kafkaServices(plan), ...kafkaBasics(plan)], kafka);
    const facts = await gather(cluster, plan);
    for (const pool of plan.pools) await cluster.writeStatus(pool, poolStatus(plan, pool, facts.clusterId, unhonouredWarnings(pool, 'KafkaNodePool')));
    const unaddressed = withoutAddress(plan, facts);
    if (unaddressed !== undefined) return { state: 'waiting', warnings, fields: {}, waitingFor: `Service resource ${unaddressed} in namespace ${kafka.metadata.namespace} to be addressable` };
    await cluster.apply(kafkaNodeObjects(plan, facts), kafka);
    const waitingFor = await bringUpPods(cluster, plan, facts, live);
    if (waitingFor !== undefined) return { state: 'waiting', warnings, fields: {}, waitingFor };
    const settled = await settleMetadata(bootstrapOf(plan), metadata);
    // Also those of users that were deleted while nobody looked.
    if (kafka.spec.entityOperator?.userOperator !== undefined) await removeStrangers(bootstrapOf(plan), () => usersWithPassword(kafka, users()));
    return { state: 'ready', warnings: [...warnings, ...settled.warnings], fields: kafkaStatus(plan, facts, settled.version) };
  } catch (error) {
    if (error instanceof Failure) return { state: 'failed', warnings, fields: {}, failure: error };
    throw error;
  }
}

/** The first Service from outside that has no address yet; brokers advertise it, so that none starts before. */
function withoutAddress(plan: KafkaPlan, facts: KafkaFacts): string | undefined {
  return plan.listeners.filter(isExternal).flatMap((listener) => {
    const names = [bootstrapServiceName(plan, listener), ...plan.nodes.filter(({ broker }) => broker).map((node) => brokerServiceName(plan, listener, node))];
    return names.filter((name) => serviceAddress(plan, listener, name, facts) === undefined);
  })[0];
}

async function gather(cluster: KubernetesCluster, plan: KafkaPlan): Promise<KafkaFacts> {
  const { namespace } = plan.kafka.metadata;
  const selector = selectorText(selectorOf(kafkaComponent(plan.kafka)));
  const services = new Map((plan.listeners.some(isExternal) ? await cluster.list<Service>('v1', 'Service', namespace, selector) : []).map((each) => [each.metadata?.name ?? '', each]));
  const secrets = new Map<string, Secret>();
  for (const { configuration } of plan.listeners) {
    const name = configuration?.brokerCertChainAndKey?.secretName;
    const secret = name === undefined ? undefined : await cluster.get<Secret>('v1', 'Secret', namespace, name);
    if (name !== undefined && secret !== undefined) secrets.set(name, secret);
  }
  const nodeAddress = plan.listeners.some(({ type }) => type === 'nodeport') ? addressOf(await cluster.nodes()) : undefined;
  return { services, nodeAddress, secrets, clientsCa: await settleClientsCa(cluster, plan), clusterId: await clusterId(cluster, plan) };
}

// In the order in which the real operator looks for them.
function addressOf(nodes: readonly Node[]): string | undefined {
  const addresses = nodes.flatMap(({ status }) => status?.addresses ?? []);
  return ['ExternalDNS', 'ExternalIP', 'InternalDNS', 'InternalIP', 'Hostname'].flatMap((type) => addresses.filter((each) => each.type === type))[0]?.address;
}

// Made once: it is what the brokers' data belongs to.
async function clusterId(cluster: KubernetesCluster, plan: KafkaPlan): Promise<string> {
  const known = [plan.kafka.status?.['clusterId'], ...plan.pools.map(({ status }) => status?.['clusterId'])].find((each) => typeof each === 'string');
  if (known !== undefined) return known as string;
  for (const node of plan.nodes) {
    const config = await cluster.get<{ data?: Record<string, string> }>('v1', 'ConfigMap', plan.kafka.metadata.namespace, node.name);
    const id = config?.data?.['cluster.id'];
    if (id !== undefined) return id;
  }
  // Without the two letters that Kafka's tools take for an option or a reserved id at its beginning.
  return randomBytes(16).toString('base64url').replaceAll('-', 'x').replaceAll('_', 'y');
}

/** By name. */
async function podsOf(cluster: KubernetesCluster, { kafka }: KafkaPlan): Promise<Map<string, Pod>> {
  const pods = await cluster.list<Pod>('v1', 'Pod', kafka.metadata.namespace, selectorText(selectorOf(kafkaComponent(kafka))));
  return new Map(pods.map((pod) => [pod.metadata?.name ?? '', pod]));
}

function running({ status }: Kafka, pods: ReadonlyMap<string, Pod>): Running {
  const said = (field: string): string | undefined => (typeof status?.[field] === 'string' ? status[field] : undefined);
  return {
    pods: [...pods.values()].flatMap(({ metadata }) => metadata?.annotations?.['strimzi.io/kafka-version'] ?? []),
    kafkaVersion: said('kafkaVersion'), metadataVersion: said('kafkaMetadataVersion'),
  };
}

function bootstrapOf({ kafka: { metadata: { name, namespace } } }: KafkaPlan): Bootstrap {
  return { host: `${name}-kafka-bootstrap.${namespace}.svc`, port: internalPorts.replication };
}

/** @returns what is waited for; undefined when all pods are as they should be, and ready */
async function bringUpPods(cluster: KubernetesCluster, plan: KafkaPlan, facts: KafkaFacts, live: ReadonlyMap<string, Pod>): Promise<string | undefined> {
  const { namespace } = plan.kafka.metadata;
  const wanted: Written[] = [];
  for (const pool of plan.pools) {
    const nodes = plan.nodes.filter((node) => node.pool === pool);
    const set = await cluster.applied<Resource<unknown>>(podSet(plan, pool, nodes.map((node) => nodePod(plan, node, facts))));
    const pods = nodes.map((node) => nodePod(plan, node, facts, set));
    wanted.push(...pods);
    const current = pods.map((pod) => live.get(pod.metadata.name)).filter((pod) => pod !== undefined);
    await cluster.writeStatus(set, { observedGeneration: set.metadata.generation ?? 0, pods: pods.length, readyPods: current.filter(isReady).length, currentPods: current.length });
  }
  await removeOthers(cluster, namespace, live, wanted);
  const missing = wanted.filter((pod) => !live.has(pod.metadata.name));
  for (const pod of missing) await cluster.create(pod);
  const unready = wanted.filter((pod) => !isReady(live.get(pod.metadata.name)));
  const changed = wanted.filter((pod) => live.has(pod.metadata.name) && revision(live.get(pod.metadata.name)) !== pod.metadata.annotations?.['strimzi.io/revision']);
  // One at a time, those first that do not serve anyway; the others must all be there meanwhile.
  const idle = changed.find((pod) => unready.includes(pod));
  const next = idle ?? (unready.length === 0 ? changed[0] : undefined);
  if (next !== undefined && next !== idle) {
    const needed = await neededNow(plan, next.metadata.name);
    if (needed !== undefined) return `Pod resource ${next.metadata.name} in namespace ${namespace} to be ready to be restarted: ${needed}`;
  }
  if (next !== undefined && live.get(next.metadata.name)?.metadata?.deletionTimestamp === undefined) await cluster.delete('v1', 'Pod', namespace, next.metadata.name);
  const waiting = next ?? unready[0];
  return waiting === undefined ? undefined : `Pod resource ${waiting.metadata.name} in namespace ${namespace} to be ready`;
}

/** Why a broker has to stay for now. */
async function neededNow(plan: KafkaPlan, pod: string): Promise<string | undefined> {
  const node = plan.nodes.find(({ name }) => name === pod);
  if (node?.broker !== true) return undefined;
  try {
    return neededBy(node.id, await partitionsOf(bootstrapOf(plan)));
  } catch (error) {
    return `Kafka does not say which partitions need it (${serverText(error)})`;
  }
}

async function removeOthers(cluster: KubernetesCluster, namespace: string, live: ReadonlyMap<string, Pod>, wanted: readonly Written[]): Promise<void> {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const name of live.keys()) if (!names.has(name)) await cluster.delete('v1', 'Pod', namespace, name);
}

const revision = (pod: Pod | undefined): string | undefined => pod?.metadata?.annotations?.['strimzi.io/revision'];

function isReady(pod: Pod | undefined): boolean {
  return pod?.metadata?.deletionTimestamp === undefined && pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

const selectorText = (labels: Record<string, string>): string => Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(',');
