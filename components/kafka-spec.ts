import { brokerLease } from '../config/broker-lease.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { bridgesListener, listenerSpec } from './kafka-listeners.ts';
import type { CertificateSecret, JbodStorage, KafkaNodePoolSpec, KafkaSpec, PersistentClaim } from './resources/strimzi.ts';
import { spread } from './spread.ts';

/** Brokers that are controllers as well. The loss of a zone or a host is then the loss of one of them, where there are others. */
export function nodePoolSpec({ name, brokers, storage, resources }: InstalledKafka): KafkaNodePoolSpec {
  const selector = { 'strimzi.io/cluster': name, 'strimzi.io/name': `${name}-kafka`, 'strimzi.io/kind': 'Kafka' };
  return {
    replicas: brokers,
    roles: ['controller', 'broker'],
    storage: jbod(storage, { kraftMetadata: 'shared' }),
    ...(resources && { resources }),
    template: { pod: spread(selector, 'zone') },
  };
}

/** A Kafka of either version of Strimzi's API. */
export function kafkaSpec(kafka: InstalledKafka, secret: CertificateSecret | undefined): KafkaSpec {
  const { api, version, metadataVersion, brokers, storage, resources, zookeeper, entityOperator } = kafka;
  const operators = { ...(entityOperator.topics ? { topicOperator: {} } : {}), ...(entityOperator.users ? { userOperator: {} } : {}) };
  return {
    kafka: {
      version,
      ...(metadataVersion === undefined ? {} : { metadataVersion }),
      listeners: kafka.listeners.map((listener) => listenerSpec(kafka, listener, secret)),
      ...(api === 'v1'
        ? { readinessProbe: { initialDelaySeconds: 5, periodSeconds: 3, timeoutSeconds: 5 }, jvmOptions: { javaSystemProperties: [freshAddresses] } }
        : { replicas: brokers, storage: jbod(storage), ...(resources && { resources }) }),
      config: { ...safeConfig, ...(api === 'v1' ? quickConfig : {}), ...kafka.config },
    },
    ...(zookeeper && { zookeeper: { replicas: zookeeper.replicas, storage: claim(zookeeper.storage) } }),
    // Bridges have their certificate before this Kafka is there, so whoever signed it is there before as well.
    ...(bridgesListener(kafka).authentication === 'tls' ? { clientsCa: { generateCertificateAuthority: false } } : {}),
    ...(Object.keys(operators).length === 0 ? {} : { entityOperator: operators }),
  };
}

/** One broker may be lost without losing a record or refusing one. */
const safeConfig = {
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
};

const quickConfig = {
  // A consumer that starts again elsewhere is alone in its group for a moment: waiting for others only delays it.
  'group.initial.rebalance.delay.ms': 0,
  // Where a broker was before its restart nobody answers: a follower that still tries there holds up every record of its leader.
  'socket.connection.setup.timeout.ms': 2_000,
  ...brokerLease,
};

/** Java remembers for 30 s where a host was; a restarted broker has another address. Seconds. */
const freshAddresses = { name: 'sun.net.inetaddr.ttl', value: '1' };

function jbod(storage: InstalledKafka['storage'], more: { kraftMetadata?: 'shared' } = {}): JbodStorage {
  return { type: 'jbod', volumes: [{ id: 0, ...claim(storage), ...more }] };
}

function claim({ size, class: storageClass, deleteClaim }: InstalledKafka['storage']): PersistentClaim {
  return { type: 'persistent-claim', size, ...(storageClass === undefined ? {} : { class: storageClass }), deleteClaim };
}
