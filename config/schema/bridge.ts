import { z } from 'zod';

import { bridgeOperations } from '../bridge-operations.ts';
import { dnsLabel, kafkaSettings, milliseconds, objectName, resources, secretKey, serviceName, text, version } from './values.ts';

const producer = z.strictObject({
  maxBlockMs: milliseconds.default(3_000).describe('How long a record waits for Kafka’s metadata.'),
  requestTimeoutMs: milliseconds.default(3_000).describe('One request to a broker.'),
  deliveryTimeoutMs: milliseconds.default(8_000).describe('One record, with every repetition.'),
  config: kafkaSettings.default({}).describe('Settings of the producer by Kafka’s names, over the program’s own.'),
});

const consumer = z.strictObject({
  sessionTimeoutMs: milliseconds.min(6_000).default(6_000).describe('A killed bridge’s members leave their group after this.'),
  // A third of the session is what Kafka's documentation allows at most. Here a member also hears with it that its group shares its partitions anew: where a killed bridge's group did so twice, some were read
  // by nobody for 8.3 and 8.6 s with 2 s instead of 6.3 s.
  heartbeatIntervalMs: milliseconds.default(1_000).describe('How often a member says that it lives, and hears that its group shares its partitions anew.'),
  idleTimeoutSeconds: z.int().min(10).max(86_400).default(60).describe('A consumer without a request for so many seconds goes; with operators before 0.42.0 it stays.'),
  config: kafkaSettings.default({}).describe('Settings of the consumers by Kafka’s names, over the program’s own.'),
});

const timeouts = z.strictObject({
  connectMs: milliseconds
    .min(100)
    .max(5_000)
    .default(500)
    .describe('A connection from tier1 to a region, or from a region to its peer: two round trips, as TLS takes one, and a little. docs/failover.md says what the default carries.'),
  perTryMs: milliseconds.default(12_000).describe('One try of a request. Without effect with `bridge.service: strimzi`, as polls take the same way.'),
  routeMs: milliseconds.default(15_000).describe('A request with its repetitions.'),
  consumersMs: milliseconds.min(2_000).default(30_000).describe('A request to a consumer, which may be a long poll: longer than the `timeout` that clients ask for, as a poll that lasts longer is answered with 504.'),
});

const answeredPath = new RegExp(bridgeOperations.filter(({ answered }) => answered).map(({ path }) => path.source).join('|'));

const healthCheck = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^\s?#]*$/, 'a path that begins with /, without a query')
    .regex(answeredPath, 'a path that every bridge answers with 200 at the port of its API: /topics, /topics/NAME/partitions of a topic that exists, or another GET of topics')
    .default('/topics')
    .describe('What regions’ gateways ask of each bridge: the list of topics, or where there are very many one that exists, `/topics/NAME/partitions`. What a bridge answers without Kafka does not find one that has lost it.'),
  intervalMs: milliseconds.min(100).default(250).describe('From one check to the next, of bridges by every region’s gateway and of regions by tier1.'),
  timeoutMs: milliseconds.min(300).default(750).describe('An answer, and the connection before it: three round trips where a region is far, and what Kafka takes to answer.'),
});

const probe = z.strictObject({
  initialDelaySeconds: z.int().min(0).max(3_600).optional().describe('Seconds before the first probe.'),
  periodSeconds: z.int().min(1).max(3_600).optional().describe('Seconds between probes.'),
  timeoutSeconds: z.int().min(1).max(3_600).optional().describe('Seconds that an answer may take.'),
  failureThreshold: z.int().min(1).max(100).optional().describe('Failures in a row that count.'),
});

const authentication = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('tls').describe('A client certificate.'),
    secret: z
      .strictObject({
        name: objectName.describe('Name of a Secret in the bridge’s namespace of every region.'),
        certificate: secretKey.default('user.crt').describe('Its entry with the certificate.'),
        key: secretKey.default('user.key').describe('Its entry with the private key.'),
      })
      .describe('The Secret with the client certificate.'),
  }),
  z.strictObject({
    type: z.literal(['scram-sha-512', 'scram-sha-256']).describe('A user name and a password; scram-sha-256 only with `kafka.existing`.'),
    username: text.describe('The user. Where Kafka is the program’s own, it makes a KafkaUser of this name.'),
    secret: z
      .strictObject({
        name: objectName.describe('Name of a Secret in the bridge’s namespace of every region.'),
        key: secretKey.default('password').describe('Its entry with the password.'),
      })
      .describe('The Secret with the password.'),
  }),
]);

/** What the bridges of all regions have in common. */
export const bridge = z.strictObject({
  name: serviceName.default('kafka-bridge').describe('Name of the KafkaBridge in every region.'),
  namespace: dnsLabel.default('kafka-bridge').describe('Namespace of bridge and gateway in every region. The program makes it, except with `namespaces: given`, or with `authentication`, whose Secret is in it: then it exists.'),
  port: z
    .int()
    .min(1_023)
    .max(65_535)
    .refine((port) => port !== 8_081 && (port < 15_000 || port > 15_090), 'a port that neither the bridge’s management (8081) nor a sidecar (15000 to 15090) has')
    .default(8_080)
    .describe('Port of the bridge’s API.'),
  version: version.optional().describe('Version of the bridge; absent: the operator’s own. Its image is where `operators.strimzi.values` say that images are (`kafkaBridge.image`, `defaultImageRegistry`, `defaultImageRepository`), whoever installed the operator; absent: quay.io/strimzi.'),
  service: z
    .enum(['own', 'strimzi'])
    .default('own')
    .describe('own: Services of the program’s, which speak HTTP/2 and keep consumers in their region; strimzi: the operator’s, whose port says no protocol, and where consumers fail over to bridges that do not know them.'),
  producer: producer.prefault({}).describe('Bounds of records on their way to Kafka.'),
  consumer: consumer.prefault({}).describe('Bounds of consumers.'),
  admin: z
    .strictObject({ config: kafkaSettings.default({}).describe('Settings of the admin client by Kafka’s names.') })
    .prefault({})
    .describe('The admin client.'),
  executorThreads: z.int().min(4).max(1_000).default(32).describe('Threads that polls, commits and produces share: more than run at once, or long polls hold up produces. Operators before 1.0.0 have no field for it: there bridges decide.'),
  timeouts: timeouts.prefault({}).describe('Bounds of a request at the gateways.'),
  healthCheck: healthCheck.prefault({}).describe('How gateways find out whether a bridge serves, two failures in a row being one that does not; nothing of it with `tsb.envoyFilters: none`.'),
  resources: resources.optional().describe('CPU and memory of each bridge.'),
  probes: z
    .strictObject({ liveness: probe.optional().describe('When a bridge is started anew.'), readiness: probe.optional().describe('When a bridge gets requests.') })
    .prefault({})
    .describe('Probes of the bridge.'),
  spread: z.enum(['zone', 'host', 'none']).default('zone').describe('Over what a region’s bridges are spread where that is possible.'),
  maxUnavailable: z.int().min(1).max(100).default(1).describe('How many bridges of a region an eviction may take at once.'),
  authentication: authentication.optional().describe('How bridges, and drills, say to Kafka who they are; absent: they do not. What has to be there before: docs/authentication.md.'),
  logging: z
    .record(text, z.enum(['OFF', 'FATAL', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL']))
    .optional()
    .describe('Level of each logger by name, that of all others as root (or rootLogger, as Log4j2 has it); absent: the operator’s. What health checks ask for is at WARN unless it is named here: each check would write two or three lines.'),
  metrics: z.enum(['none', 'jmx', 'strimzi']).default('none').describe('Which exporter of metrics a bridge has; operators before 0.48.0 have jmx only, with rules of their own.'),
  injection: z
    .union([z.literal('enabled'), z.strictObject({ revision: dnsLabel.describe('Revision of the mesh, for the label istio.io/rev and the gateway.') })])
    .default('enabled')
    .describe('How the namespace asks for sidecars: the label istio-injection, or a revision, which is then the regions’ gateways’ as well.'),
});
