import { bootstrapServiceName, serviceAddress } from './kafka-services.ts';
import type { KafkaFacts } from './kafka-objects.ts';
import { listenerChain } from './kafka-objects.ts';
import { kafkaComponent, type KafkaPlan } from './kafka-plan.ts';
import { selectorOf } from './labels.ts';
import { warning } from './status.ts';
import type { Condition, KafkaNodePool, Listener } from './model.ts';

/** The status fields of a Kafka that runs. @param metadataVersion that it has, e.g. `4.3-IV0` */
export function kafkaStatus(plan: KafkaPlan, facts: KafkaFacts, metadataVersion: string): Record<string, unknown> {
  return {
    listeners: plan.listeners.map((listener) => listenerStatus(plan, listener, facts)),
    kafkaNodePools: plan.pools.map(({ metadata }) => ({ name: metadata.name })),
    clusterId: facts.clusterId,
    operatorLastSuccessfulVersion: plan.release.operator,
    kafkaVersion: plan.version,
    kafkaMetadataVersion: metadataVersion,
  };
}

/** The status of a node pool; it has no Ready condition. */
export function poolStatus(plan: KafkaPlan, pool: KafkaNodePool, clusterId: string, warnings: readonly Condition[]): Record<string, unknown> {
  const selector = { ...selectorOf(kafkaComponent(plan.kafka)), 'strimzi.io/pool-name': pool.metadata.name };
  return {
    ...(warnings.length === 0 ? {} : { conditions: warnings.map((each) => ({ ...each, lastTransitionTime: new Date().toISOString() })) }),
    observedGeneration: pool.metadata.generation ?? 0,
    nodeIds: plan.nodes.filter((node) => node.pool === pool).map(({ id }) => id),
    clusterId,
    roles: pool.spec.roles,
    replicas: pool.spec.replicas,
    labelSelector: Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(','),
  };
}

/** Warnings about a configuration that works and is not wise. */
export function kafkaWarnings({ kafka, nodes }: KafkaPlan): Condition[] {
  const config = kafka.spec.kafka.config ?? {};
  const brokers = nodes.filter(({ broker }) => broker).length;
  const controllers = nodes.filter(({ controller }) => controller).length;
  return [
    ...(brokers > 1 && config['default.replication.factor'] === undefined ? [warning('KafkaDefaultReplicationFactor', 'default.replication.factor option is not configured. It defaults to 1 which does not guarantee reliability and availability. You should configure this option in .spec.kafka.config.')] : []),
    ...(brokers > 1 && config['min.insync.replicas'] === undefined ? [warning('KafkaMinInsyncReplicas', 'min.insync.replicas option is not configured. It defaults to 1 which does not guarantee reliability and availability. You should configure this option in .spec.kafka.config.')] : []),
    ...(controllers > 0 && controllers % 2 === 0 ? [warning('KafkaKRaftControllerNodeCount', `Running KRaft controller quorum with ${controllers === 2 ? 'two nodes' : 'an even number of nodes'} is not advisable as both nodes will be needed to avoid downtime. It is recommended that a minimum of three nodes are used.`)] : []),
    ...(config['inter.broker.protocol.version'] === undefined ? [] : [warning('KafkaInterBrokerProtocolVersionInKRaft', 'inter.broker.protocol.version is not used in KRaft-based Kafka clusters and should be removed from the Kafka custom resource.')]),
    ...(config['log.message.format.version'] === undefined ? [] : [warning('KafkaLogMessageFormatVersionInKRaft', 'log.message.format.version is not used in KRaft-based Kafka clusters and should be removed from the Kafka custom resource.')]),
  ];
}

function listenerStatus(plan: KafkaPlan, listener: Listener, facts: KafkaFacts): object {
  const service = listener.type === 'internal' ? `${plan.kafka.metadata.name}-kafka-bootstrap` : bootstrapServiceName(plan, listener);
  const { host, port } = serviceAddress(plan, listener, service, facts) ?? { host: '', port: listener.port };
  const chain = listenerChain(listener, facts.secrets);
  return {
    name: listener.name,
    addresses: [{ host, port }],
    bootstrapServers: `${host}:${String(port)}`,
    ...(listener.tls && chain !== undefined ? { certificates: [chain] } : {}),
  };
}
