/** The fields that are read: `true` for all below, else by name; a list stands for the items of a list. */
export type Known = true | { readonly [field: string]: Known } | readonly [Known];

/** Paths of the fields of a spec that say something and are not read, e.g. `spec.kafka.rack`. */
export function unhonoured(value: unknown, known: Known, path = 'spec'): string[] {
  if (known === true || value === null || value === undefined) return [];
  if (Array.isArray(known)) {
    const [item] = known as readonly [Known];
    return Array.isArray(value) ? value.flatMap((each, index) => unhonoured(each, item, `${path}[${String(index)}]`)) : [];
  }
  const fields = known as Readonly<Record<string, Known>>;
  return Object.entries(value as object).flatMap(([field, child]) => {
    const below = fields[field];
    return below === undefined ? [`${path}.${field}`] : unhonoured(child, below, `${path}.${field}`);
  });
}

const metadata: Known = { metadata: { labels: true, annotations: true } };

export const knownFields = {
  KafkaBridge: {
    replicas: true, image: true, bootstrapServers: true, tls: { trustedCertificates: true }, authentication: { type: true, certificateAndKey: true, username: true, passwordSecret: true }, http: { port: true, cors: true },
    producer: true, consumer: true, adminClient: true, config: true, resources: true, livenessProbe: true, readinessProbe: true,
    template: {
      deployment: { ...metadata, deploymentStrategy: true },
      pod: { ...metadata, terminationGracePeriodSeconds: true, hostAliases: true, topologySpreadConstraints: true },
      apiService: metadata, podDisruptionBudget: { ...metadata, maxUnavailable: true }, bridgeContainer: { env: true },
    },
  },
  Kafka: {
    kafka: {
      version: true, metadataVersion: true, config: true, readinessProbe: true, jvmOptions: { javaSystemProperties: true },
      listeners: [{
        name: true, port: true, type: true, tls: true, authentication: { type: true },
        configuration: {
          brokerCertChainAndKey: true, bootstrap: { labels: true, annotations: true },
          brokers: [{ broker: true, advertisedHost: true, advertisedPort: true, labels: true, annotations: true }],
        },
      }],
    },
    clientsCa: { generateCertificateAuthority: true }, entityOperator: { topicOperator: {}, userOperator: {} },
  },
  KafkaNodePool: { replicas: true, roles: true, resources: true, template: { pod: { topologySpreadConstraints: true } }, storage: { type: true, size: true, class: true, deleteClaim: true, volumes: [{ id: true, type: true, size: true, class: true, deleteClaim: true, kraftMetadata: true }] } },
  KafkaTopic: { topicName: true, partitions: true, replicas: true, config: true },
  KafkaUser: { authentication: { type: true, password: true } },
} satisfies Record<string, Known>;
