import { ConfigResourceTypes, describeConfigsV4, metadataV12 } from '@platformatic/kafka';
import { askKafka, type Bootstrap } from './kafka-connection.ts';

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

/** All partitions of a Kafka, also of its own topics, which hold back a restart like any other, and which the client library's own metadata leaves out. */
export async function partitionsOf(bootstrap: Bootstrap): Promise<Partition[]> {
  return await askKafka(bootstrap, 'strimzi-roller', async (connection) => {
    const { topics } = await metadataV12.api.async(connection, null, false, false);
    const names = topics.flatMap(({ name }) => name ?? []);
    if (names.length === 0) return [];
    const { results } = await describeConfigsV4.api.async(connection, names.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName, configurationKeys: ['min.insync.replicas'] })), false, false);
    const minInSync = new Map(results.map(({ resourceName, configs: [first] }) => [resourceName, Number(first?.value ?? 1)]));
    return topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex: index, replicaNodes: replicas, isrNodes: inSync }) =>
      ({ topic: name ?? '', index, replicas, inSync, minInSync: minInSync.get(name ?? '') ?? 1 })));
  });
}
