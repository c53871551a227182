import { Admin, ConfigResourceTypes } from '@platformatic/kafka';

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

/** All partitions of a Kafka. @param bootstrap `host:port` of the brokers' plain listener */
export async function partitionsOf(bootstrap: string): Promise<Partition[]> {
  const admin = new Admin({ clientId: 'strimzi-roller', bootstrapBrokers: [bootstrap], retries: 2, retryDelay: 200 });
  try {
    const topics = await admin.listTopics({ includeInternals: true });
    if (topics.length === 0) return [];
    const [metadata, configs] = await Promise.all([
      admin.metadata({ topics, forceUpdate: true }),
      admin.describeConfigs({ resources: topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys: ['min.insync.replicas'] })) }),
    ]);
    const minInSync = new Map(configs.map(({ resourceName, configs: [first] }) => [resourceName, Number(first?.value ?? 1)]));
    return [...metadata.topics].flatMap(([topic, { partitions }]) => partitions.map(({ replicas, isr }, index) => ({ topic, index, replicas, inSync: isr, minInSync: minInSync.get(topic) ?? 1 })));
  } finally {
    await admin.close();
  }
}
