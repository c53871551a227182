import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';

/** What a KafkaTopic needs of Kafka. */
export interface TopicAdmin {
  /** How many partitions a topic has; undefined when it is not there. */
  partitions(topic: string): Promise<number | undefined>;
  create(topic: string, as: { partitions: number; replicas: number; config: { name: string; value: string }[] }): Promise<void>;
  addPartitions(topic: string, count: number): Promise<void>;
  configure(topic: string, config: readonly { name: string; value: string }[]): Promise<void>;
  /** A topic that is already gone is fine. */
  delete(topic: string): Promise<void>;
  close(): Promise<void>;
}

/** @param bootstrap `host:port` of the brokers' plain listener */
export function createTopics(bootstrap: string): TopicAdmin {
  const admin = new Admin({ clientId: 'strimzi-topic-operator', bootstrapBrokers: [bootstrap], retries: 2, retryDelay: 200 });
  const exists = async (topic: string): Promise<boolean> => (await admin.listTopics()).includes(topic);
  return {
    async partitions(topic) {
      if (!await exists(topic)) return undefined;
      return (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitionsCount;
    },
    async create(topic, { partitions, replicas, config }) {
      await admin.createTopics({ topics: [topic], partitions, replicas, configs: config });
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] });
    },
    async configure(topic, config) {
      const configs = config.map(({ name, value }) => ({ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET }));
      await admin.incrementalAlterConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }] });
    },
    async delete(topic) {
      if (await exists(topic)) await admin.deleteTopics({ topics: [topic] });
    },
    close: () => admin.close(),
  };
}
