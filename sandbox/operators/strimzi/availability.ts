import { Admin, ConfigResourceTypes, Connection, metadataV12 } from '@platformatic/kafka';

/** What one question to Kafka may take, ms. */
const patience = { connectTimeout: 5000, requestTimeout: 10_000 };

/** One partition and what its topic wants. */
export interface Partition {
  readonly topic: string;
  readonly index: number;
  readonly replicas: readonly number[];
  /** Brokers that have all of its records. */
  readonly inSync: readonly number[];
  readonly minInSync: number;
}

/**
 * As the real operator's roller has it: a broker is not restarted while that would leave a partition with fewer brokers in sync than producers
 * wait for. A partition that has no replicas to spare does not count: it would never be a good time.
 * @returns the first such partition, in words; undefined when the broker may go
 */
export function neededBy(broker: number, partitions: readonly Partition[]): string | undefined {
  const found = partitions.find(({ replicas, inSync, minInSync }) =>
    inSync.includes(broker) && inSync.length - 1 < minInSync && replicas.length > minInSync);
  return found && `${found.topic}-${String(found.index)}, in sync on ${found.inSync.join(', ')} of ${found.replicas.join(', ')} and written to ${String(found.minInSync)}`;
}

/** All partitions of a Kafka, also of its own topics, which hold back a restart like any other. @param bootstrap host and port of the brokers' plain listener */
export async function partitionsOf({ host, port }: { host: string; port: number }): Promise<Partition[]> {
  // The client library's own metadata leaves Kafka's topics out.
  const connection = new Connection('strimzi-roller', patience);
  const admin = new Admin({ clientId: 'strimzi-roller', bootstrapBrokers: [`${host}:${String(port)}`], ...patience, retries: 2, retryDelay: 200 });
  try {
    await connection.connect(host, port);
    const { topics } = await metadataV12.api.async(connection, null, false, false);
    const names = topics.flatMap(({ name }) => name ?? []);
    if (names.length === 0) return [];
    const configs = await admin.describeConfigs({ resources: names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys: ['min.insync.replicas'] })) });
    const minInSync = new Map(configs.map(({ resourceName, configs: [first] }) => [resourceName, Number(first?.value ?? 1)]));
    return topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex: index, replicaNodes: replicas, isrNodes: inSync }) =>
      ({ topic: name ?? '', index, replicas, inSync, minInSync: minInSync.get(name ?? '') ?? 1 })));
  } finally {
    await Promise.all([connection.close(), admin.close()]);
  }
}
