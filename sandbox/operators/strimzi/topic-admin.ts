import { Admin, ConfigResourceTypes, ConfigSources, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';

/** What a KafkaTopic needs of Kafka. */
export interface TopicAdmin {
  /** How many replicas each of a topic's partitions has; undefined when it is not there. */
  replicas(topic: string): Promise<readonly number[] | undefined>;
  create(topic: string, as: { partitions: number; replicas: number; config: { name: string; value: string }[] }): Promise<void>;
  addPartitions(topic: string, count: number): Promise<void>;
  /** Names of what is configured for a topic itself; the rest is its brokers'. */
  configured(topic: string): Promise<readonly string[]>;
  /** @param revert names of what is to be its brokers' again */
  configure(topic: string, config: readonly { name: string; value: string }[], revert: readonly string[]): Promise<void>;
  /** A topic that is already gone is fine. */
  delete(topic: string): Promise<void>;
  close(): Promise<void>;
}

/** @param bootstrap `host:port` of the brokers' plain listener */
export function createTopics(bootstrap: string): TopicAdmin {
  const admin = new Admin({ clientId: 'strimzi-topic-operator', bootstrapBrokers: [bootstrap], retries: 2, retryDelay: 200 });
  const exists = async (topic: string): Promise<boolean> => (await admin.listTopics()).includes(topic);
  return {
    async replicas(topic) {
      if (!await exists(topic)) return undefined;
      return (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.get(topic)?.partitions.map(({ replicas }) => replicas.length);
    },
    async create(topic, { partitions, replicas, config }) {
      await admin.createTopics({ topics: [topic], partitions, replicas, configs: config });
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] });
    },
    async configured(topic) {
      const [found] = await admin.describeConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }] });
      return (found?.configs ?? []).filter(({ configSource }) => configSource === ConfigSources.DYNAMIC_TOPIC_CONFIG).map(({ name }) => name);
    },
    async configure(topic, config, revert) {
      const configs = [
        ...config.map(({ name, value }) => ({ name, value, configOperation: IncrementalAlterConfigOperationTypes.SET })),
        ...revert.map((name) => ({ name, configOperation: IncrementalAlterConfigOperationTypes.DELETE })),
      ];
      await admin.incrementalAlterConfigs({ resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }] });
    },
    async delete(topic) {
      if (await exists(topic)) await admin.deleteTopics({ topics: [topic] });
    },
    close: () => admin.close(),
  };
}
