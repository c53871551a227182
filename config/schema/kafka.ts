import { z } from 'zod';

import { certificate } from './certificate.ts';
import { annotations, certificateText, dnsLabel, hostName, kafkaSettings, objectName, place, resources, serviceName, topicName, version, volumeSize } from './values.ts';

const storage = z.strictObject({
  size: volumeSize.default('10Gi').describe('Size of each volume; not in `k`, which Strimzi cannot read.'),
  class: objectName.optional().describe('Storage class; absent: the cluster’s default.'),
  deleteClaim: z.boolean().default(false).describe('Whether volumes go with the brokers, and with them every record.'),
});

const listener = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9]{1,11}$/, '1 to 11 lower-case letters and digits').default('external').describe('Name of the listener.'),
    type: z.enum(['loadbalancer', 'route', 'nodeport', 'ingress', 'internal']).describe('How it is exposed.'),
    port: z
      .int()
      .min(9092)
      .max(65_535)
      .refine((port) => port !== 9404 && port !== 9999, 'a port that Strimzi does not use itself (9404, 9999)')
      .default(9094)
      .describe('Port of the brokers’ pods; behind a route or ingress clients use 443.'),
    tls: z.boolean().default(true).describe('Whether it speaks TLS.'),
    class: z
      .string()
      .regex(/^([a-z0-9]([-.a-z0-9]*[a-z0-9])?\/)?[a-zA-Z0-9]([-._a-zA-Z0-9]*[a-zA-Z0-9])?$/, 'the name of a class, such as nginx or service.k8s.aws/nlb')
      .optional()
      .describe('Ingress class or load balancer class.'),
    annotations: annotations.default({}).describe('Annotations of its Services, Routes or Ingresses.'),
    certificate: z
      .enum(['own', 'operator'])
      .optional()
      .describe('own: as `kafka.certificate` says; operator: of the operator’s own CA. Default: own, for type internal operator.'),
    authentication: z.enum(['tls', 'scram-sha-512']).optional().describe('How clients say who they are; absent: they do not. What that needs to be there before: docs/authentication.md.'),
  })
  .transform((given) => ({ ...given, certificate: given.certificate ?? (given.type === 'internal' ? ('operator' as const) : ('own' as const)) }));

const topic = z.strictObject({
  name: topicName.describe('Name of the topic.'),
  partitions: z.int().min(1).max(10_000).default(3).describe('Partitions.'),
  replicas: z.int().min(1).max(99).default(3).describe('Copies of every record.'),
  config: kafkaSettings.default({}).describe('Settings of the topic by Kafka’s names.'),
});

const entityOperator = z.strictObject({
  topics: z.boolean().optional().describe('Whether KafkaTopic resources are obeyed. Default: true where `kafka.topics` has any.'),
  users: z.boolean().optional().describe('Whether KafkaUser resources are obeyed. Default: true where a listener asks for scram-sha-512.'),
});

const zookeeper = z.strictObject({
  replicas: z.int().min(1).max(7).default(3).describe('ZooKeeper nodes.'),
  storage: storage.prefault({}).describe('Volume of each ZooKeeper node.'),
});

/** A Kafka cluster that the program makes. */
const installed = z
  .strictObject({
    existing: z.never('nothing beside the other keys of kafka: either Kafka exists, or the program makes it').optional(),
    ...place,
    namespace: dnsLabel.default('kafka-cluster').describe('Namespace of Kafka. The program makes it, except with `namespaces: given`, or where something in it has to be there before: a Secret or an Issuer of `kafka.certificate`, or what bridges are known by that say who they are.'),
    name: serviceName.default('kafka').describe('Name of the Kafka resource.'),
    api: z.enum(['v1', 'v1beta2']).default('v1').describe('Version of Strimzi’s API. v1: KRaft; v1beta2: ZooKeeper, on operators up to 0.45.'),
    version: version.default('4.3.1').describe('Version of Kafka, one that the operator serves.'),
    metadataVersion: z
      .string()
      .regex(/^\d+\.\d+(-IV\d+)?$/, 'a version of Kafka’s metadata, such as 4.2 or 4.2-IV1')
      .optional()
      .describe('Version of Kafka’s metadata; absent: the newest that this Kafka has. While it is an older one, Kafka can go back to that version. It can be lowered only where Kafka writes its metadata in the same way: docs/regions.md.'),
    brokers: z.int().min(3).max(99).default(3).describe('Brokers. Three at least: every record is on three and acknowledged by two.'),
    zookeeper: zookeeper.optional().describe('Only with api v1beta2.'),
    storage: storage.prefault({}).describe('The volumes of the brokers.'),
    resources: resources.optional().describe('CPU and memory of each broker.'),
    config: kafkaSettings.default({}).describe('Settings of the brokers by Kafka’s names, over the program’s own.'),
    domain: hostName.describe('Domain of the names that brokers advertise: bootstrap.<domain> and broker-<id>.<domain>; with a route what new Routes get: of ingresses.config/cluster spec.appsDomain where it is set, else spec.domain.'),
    listeners: z
      .array(listener)
      .min(1, 'one listener or more')
      .prefault([{ type: 'loadbalancer' }])
      .describe('Listeners. Bridges come in by the first that is not internal, which must have TLS.'),
    certificate: certificate.prefault({}).describe('Certificate of the listeners that have their own.'),
    topics: z.array(topic).default([]).describe('Topics that the program makes.'),
    entityOperator: entityOperator.prefault({}).describe('Operators for topics and users.'),
  })
  .transform((given) => ({
    ...given,
    zookeeper: given.api === 'v1beta2' ? (given.zookeeper ?? zookeeper.parse({})) : given.zookeeper,
    entityOperator: {
      topics: given.entityOperator.topics ?? given.topics.length > 0,
      users: given.entityOperator.users ?? given.listeners.some(({ authentication }) => authentication === 'scram-sha-512'),
    },
  }));

const bootstrapServer = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]*[a-z0-9])?:\d{1,5}$/;

/** A Kafka cluster that is there already, and that the program only uses. */
const existing = z.strictObject({
  existing: z
    .strictObject({
      bootstrapServers: z
        .string()
        .refine((list) => !/[A-Z]/.test(list), 'host names in lower case')
        .refine((list) => list.split(',').every((server) => server.split(':').length <= 2), 'host names or IPv4 addresses, each with one port: IPv6 addresses are not taken here')
        .refine((list) => !/[^.:,]{64}|[^:,]{254}/.test(list), 'host names of at most 253 characters, of which no part has more than 63')
        .refine((list) => list.split(',').every((server) => bootstrapServer.test(server)), 'host:port, or several with commas and no spaces between')
        .refine((list) => list.split(',').map((server) => Number(server.split(':')[1])).every((port) => port >= 1 && port <= 65_535), 'ports from 1 to 65535')
        .refine((list) => new Set(list.split(',')).size === list.split(',').length, 'servers of which none is there twice')
        .describe('`host:port` of a TLS listener, or several with commas between.'),
      caCertificate: certificateText.describe('CA certificate that the listener is trusted by, or several, as while it is renewed: PEM text, or `{file: …}` with its path.'),
    })
    .describe('Kafka that exists; then `kafka` has no other key.'),
});

export const kafka = z.union([existing, installed]);
