import type * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { caOfSecret } from './certificate-secret.ts';
import type { ClientAuthentication } from './client-secrets.ts';
import type { Cluster } from './cluster.ts';
import { advertisedHosts, bridgesListener, certificateHosts, hasOwnCertificate, type ListenerAddress, listenerAddress } from './kafka-listeners.ts';
import { kafkaSpec, nodePoolSpec } from './kafka-spec.ts';
import { makeTopics } from './kafka-topics.ts';
import { makeUser } from './kafka-user.ts';
import { type ListenerCertificate, listenerCertificate } from './listener-certificate.ts';
import { nodePool } from '../config/names.ts';
import { certificatesOf } from '../config/pem.ts';
import type { ExistingKafka, InstalledKafka } from '../config/schema.ts';
import { ownNamespace } from './own-namespace.ts';
import { untilReady } from './ready.ts';
import { apiVersion, Kafka, KafkaNodePool } from './resources/strimzi.ts';

type Installed = InstalledKafka & {
  readonly cluster: Cluster;
  /** Whether its namespace is there before the program. */
  readonly givenNamespace: boolean;
  /** How bridges say who they are; absent: they do not. */
  readonly client?: ClientAuthentication | undefined;
};

/** The configuration's `kafka`: one to make, with its cluster, or one that exists. */
export type KafkaClusterArgs = Installed | ExistingKafka;

/** A Kafka cluster that other clusters reach over TLS by configured names. One that exists already has no objects of ours. */
export class KafkaCluster extends pulumi.ComponentResource {
  /** What bridges begin with, known when the brokers are ready: `host:port` of the first listener from outside, or several with commas between. */
  readonly bootstrapServers: pulumi.Output<string>;
  /** PEM of the CA that this listener's certificate is trusted by, and of nothing else: no key enters the state. */
  readonly caCertificate: pulumi.Output<string>;
  /** The same, each by itself where several are given. How many there are is known before the run. */
  readonly authorities: readonly pulumi.Output<string>[];
  /** All listeners; none of a Kafka that exists already. */
  readonly listeners: pulumi.Output<ListenerAddress[]>;

  constructor(name: string, args: KafkaClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:KafkaCluster', name, {}, args.existing === undefined ? { ...opts, provider: args.cluster.provider } : opts);

    const { bootstrapServers, caCertificate, listeners } = args.existing === undefined ? install(name, args, this) : exists(args.existing);
    this.bootstrapServers = bootstrapServers;
    this.caCertificate = caCertificate;
    const given = givenAuthorities(args);
    this.authorities = given === undefined ? [caCertificate] : certificatesOf(given).map((authority) => pulumi.output(authority));
    this.listeners = listeners;
    this.registerOutputs({ ...(args.existing === undefined ? { cluster: args.cluster.name } : {}), bootstrapServers, caCertificate, listeners });
  }
}

/** PEM of what bridges trust brokers by, where the settings say it; undefined where it is read from a cluster. */
function givenAuthorities(args: KafkaClusterArgs): string | undefined {
  if (args.existing !== undefined) return args.existing.caCertificate;
  return hasOwnCertificate(bridgesListener(args)) && args.certificate.source === 'secret' ? args.certificate.caCertificate : undefined;
}

type Outputs = Pick<KafkaCluster, 'bootstrapServers' | 'caCertificate' | 'listeners'>;

function exists({ bootstrapServers, caCertificate }: ExistingKafka['existing']): Outputs {
  return { bootstrapServers: pulumi.output(bootstrapServers), caCertificate: pulumi.output(caCertificate), listeners: pulumi.output([]) };
}

function install(name: string, args: Installed, parent: pulumi.Resource): Outputs {
  const namespace = ownNamespace(name, { name: args.namespace, cluster: args.cluster.name, given: args.givenNamespace }, { parent, ...kept });
  const certificate = ownCertificate(name, args, { namespace, parent });
  const kafka = makeKafka(name, args, { namespace, certificate, parent });
  const { cluster, client } = args;
  makeTopics(name, { kafka, args, cluster }, { parent });
  const user = makeUser(name, { kafka, args, cluster, client }, { parent });

  const { reader } = cluster;
  const listeners = args.listeners.map((listener) => listenerAddress(args, listener, { ready: kafka.id, resource: kafkaReference(args), reader }));
  const entry = bridgesListener(args);
  return {
    // Nobody is let in before the user is known.
    bootstrapServers: pulumi.all([pulumi.all(listeners), user?.id]).apply(([all]) => all.find((listener) => listener.name === entry.name)?.bootstrapServers ?? ''),
    caCertificate: hasOwnCertificate(entry) && certificate !== undefined ? certificate.caCertificate : kafka.id.apply(() => operatorsAuthority(args)),
    listeners: pulumi.all(listeners),
  };
}

/** Records are behind these: the engine refuses to delete or replace them until their protection is taken off, as `kbf destroy` does. */
const kept = { protect: true };

/** undefined where every listener with TLS shows a certificate of the operator's CA. */
function ownCertificate(name: string, args: Installed, { namespace, parent }: { namespace: pulumi.Input<string>; parent: pulumi.Resource }): ListenerCertificate | undefined {
  if (!args.listeners.some(hasOwnCertificate)) return undefined;
  const { cluster, certificate: source, api } = args;
  return listenerCertificate(
    name,
    { cluster, namespace, namespaceName: args.namespace, kafka: args.name, source, hosts: certificateHosts(args), advertised: advertisedHosts(args), pkcs8: api === 'v1' },
    { parent },
  );
}

interface Made {
  readonly namespace: pulumi.Input<string>;
  readonly certificate: ListenerCertificate | undefined;
  readonly parent: pulumi.Resource;
}

/** Kafka with its node pool; v1beta2 has none. */
function makeKafka(name: string, args: Installed, { namespace, certificate, parent }: Made): Kafka {
  const pools = args.api === 'v1' ? [new KafkaNodePool(`${name}-pool`, { metadata: poolMetadata(args, namespace), spec: nodePoolSpec(args) }, { parent, ...kept })] : [];
  return untilReady(kafkaReference(args), args.cluster, { waitFor: 'condition=Ready', seconds: readySeconds(args) }, ({ annotations, options }) => {
    const dependsOn = [...pools, ...(certificate?.dependsOn ?? [])];
    return new Kafka(name, { api: args.api, metadata: { name: args.name, namespace, annotations }, spec: kafkaSpec(args, certificate?.secret) }, { parent, ...kept, dependsOn, ...options });
  });
}

/** Of one broker or ZooKeeper that is restarted: its grace, its volume attached anew, its start, and until it has caught up. */
const restartSeconds = 200;

/** The first start is of all at once, and a change of what runs one by one, each when the one before is in sync again. */
function readySeconds({ brokers, zookeeper }: Installed): number {
  return Math.max(600, restartSeconds * (brokers + (zookeeper?.replicas ?? 0)));
}

function kafkaReference({ api, namespace, name }: Installed): { apiVersion: string; kind: string; namespace: string; name: string } {
  return { apiVersion: apiVersion(api), kind: 'Kafka', namespace, name };
}

function poolMetadata({ name, brokers }: Installed, namespace: pulumi.Input<string>): k8s.types.input.meta.v1.ObjectMeta {
  return {
    name: nodePool,
    namespace,
    labels: { 'strimzi.io/cluster': name },
    // Fixes the ids, as certificate and listener name brokers by them.
    annotations: { 'strimzi.io/next-node-ids': `[0-${brokers - 1}]` },
  };
}

/** The CA of Strimzi's own, which signs for listeners without a certificate of their own. */
function operatorsAuthority({ cluster, namespace, name }: Installed): pulumi.Output<string> {
  return caOfSecret({ apiVersion: 'v1', kind: 'Secret', namespace, name: `${name}-cluster-ca-cert` }, cluster, 'authority');
}
