import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { externalDns } from './external-dns.ts';
import { issueListenerCertificate, readRootCertificate } from './listener-certificate.ts';
import { bootstrapHost, brokerHost, listenerService, nodePool, serviceHost } from '../config/names.ts';
import { untilReady } from './ready.ts';
import { Kafka, type KafkaListener, KafkaNodePool } from './resources/strimzi.ts';

export interface KafkaClusterArgs {
  readonly cluster: Cluster;
  /** Namespace to make for Kafka. */
  readonly namespace: string;
  /** Name of the Kafka resource. */
  readonly name: string;
  /** Domain of the advertised names: bootstrap.<domain>, broker-<id>.<domain>. */
  readonly domain: string;
  /** Kafka's version, which the Strimzi operator has to know. */
  readonly version: string;
  /** Brokers, each a KRaft controller as well; three or more. */
  readonly brokers: number;
  /** Claim of each broker; the cluster's default storage class unless one is named. Claims outlive brokers, but not the namespace. */
  readonly storage: { readonly size: string; readonly class?: string | undefined };
  /** The TLS listener for other clusters. */
  readonly listener: { readonly name: string; readonly port: number };
}

/** A Kafka cluster that other clusters reach over TLS by configured names. */
export class KafkaCluster extends pulumi.ComponentResource {
  /** `host:port` of the TLS listener, known when the brokers are ready. */
  readonly bootstrapServers: pulumi.Output<string>;
  /** PEM of the root that signs the listener's certificate, and of nothing else: no key enters the state. */
  readonly caCertificate: pulumi.Output<string>;

  constructor(name: string, args: KafkaClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:KafkaCluster', name, {}, { ...opts, provider: args.cluster.provider });

    // Records are behind these three: the engine refuses to delete or replace them until their protection is taken off, as `kbf destroy` does.
    const kept = { parent: this, protect: true };
    const namespace = new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { name: args.namespace } }, kept);
    const certificate = issueListenerCertificate(name, { cluster: args.cluster, namespace, namespaceName: args.namespace, kafka: args.name, hosts: hostsOf(args) }, { parent: this });
    const pool = new KafkaNodePool(`${name}-pool`, { metadata: poolMetadata(args, namespace), spec: poolSpec(args) }, kept);
    const kafka = untilReady(
      { apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka', namespace: args.namespace, name: args.name },
      args.cluster,
      { waitFor: 'condition=Ready', seconds: 600 },
      ({ annotations, options }) =>
        new Kafka(
          name,
          { metadata: { name: args.name, namespace: namespace.metadata.name, annotations }, spec: { kafka: kafkaSpec(args, certificate.secretName) } },
          { ...kept, dependsOn: [pool, certificate.leaf], ...options },
        ),
    );

    this.bootstrapServers = kafka.id.apply(() => `${bootstrapHost(args.domain)}:${args.listener.port}`);
    this.caCertificate = readRootCertificate(certificate, args.namespace, args.cluster);
    this.registerOutputs({ cluster: args.cluster.name, bootstrapServers: this.bootstrapServers, caCertificate: this.caCertificate });
  }
}

/** Every name by which a client may call the listener: advertised ones, and those of its Service inside the cluster. */
function hostsOf({ domain, brokers, name, listener, namespace }: KafkaClusterArgs): string[] {
  const service = listenerService(name, listener.name);
  return [bootstrapHost(domain), ...nodeIds(brokers).map((id) => brokerHost(id, domain)), `${service}.${namespace}.svc`, serviceHost(service, namespace)];
}

function poolMetadata({ name, brokers }: KafkaClusterArgs, namespace: k8s.core.v1.Namespace): k8s.types.input.meta.v1.ObjectMeta {
  return {
    name: nodePool,
    namespace: namespace.metadata.name,
    labels: { 'strimzi.io/cluster': name },
    // Fixes the ids, as certificate and listener name brokers by them.
    annotations: { 'strimzi.io/next-node-ids': `[0-${brokers - 1}]` },
  };
}

function poolSpec({ brokers, storage }: KafkaClusterArgs): ConstructorParameters<typeof KafkaNodePool>[1]['spec'] {
  const storageClass = storage.class === undefined ? {} : { class: storage.class };
  return {
    replicas: brokers,
    roles: ['controller', 'broker'],
    storage: { type: 'jbod', volumes: [{ id: 0, type: 'persistent-claim', size: storage.size, ...storageClass, deleteClaim: false, kraftMetadata: 'shared' }] },
  };
}

function kafkaSpec(args: KafkaClusterArgs, secretName: string): ConstructorParameters<typeof Kafka>[1]['spec']['kafka'] {
  return {
    version: args.version,
    listeners: [listenerOf(args, secretName)],
    readinessProbe: { initialDelaySeconds: 5, periodSeconds: 3, timeoutSeconds: 5 },
    config: {
      // One broker may be lost without losing a record or refusing one.
      'default.replication.factor': 3,
      'min.insync.replicas': 2,
      'offsets.topic.replication.factor': 3,
      'transaction.state.log.replication.factor': 3,
      'transaction.state.log.min.isr': 2,
      // A consumer that starts again elsewhere is alone in its group for a moment: waiting for others only delays it.
      'group.initial.rebalance.delay.ms': 0,
    },
  };
}

/**
 * Brokers advertise configured names: their certificate is needed before a load balancer has an address.
 * ExternalDNS publishes each name with the address of its Service.
 */
function listenerOf({ listener, domain, brokers }: KafkaClusterArgs, secretName: string): KafkaListener {
  return {
    name: listener.name,
    port: listener.port,
    type: 'loadbalancer',
    tls: true,
    configuration: {
      brokerCertChainAndKey: { secretName, certificate: 'tls.crt', key: 'tls.key' },
      bootstrap: { annotations: externalDns(bootstrapHost(domain)) },
      brokers: nodeIds(brokers).map((broker) => ({ broker, advertisedHost: brokerHost(broker, domain), annotations: externalDns(brokerHost(broker, domain)) })),
    },
  };
}

function nodeIds(brokers: number): number[] {
  return Array.from({ length: brokers }, (_, id) => id);
}
