import type * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { topicResource } from '../config/names.ts';
import type { InstalledKafka } from '../config/schema.ts';
import { untilReady } from './ready.ts';
import { apiVersion, type Kafka, KafkaTopic } from './resources/strimzi.ts';

/** Makes the topics of a Kafka, once its operator for topics is there. Each is protected: its records go with it. */
export function makeTopics(name: string, { kafka, args, cluster }: { kafka: Kafka; args: InstalledKafka; cluster: Cluster }, opts: { parent: pulumi.Resource }): KafkaTopic[] {
  return args.topics.map((topic) => {
    const { partitions, replicas, config } = topic;
    const resource = topicResource(topic.name);
    return untilReady(
      { apiVersion: apiVersion(args.api), kind: 'KafkaTopic', namespace: args.namespace, name: resource },
      cluster,
      { waitFor: 'condition=Ready', seconds: 120 },
      ({ annotations, options }) =>
        new KafkaTopic(
          `${name}-topic-${topic.name}`,
          {
            api: args.api,
            metadata: { name: resource, namespace: kafka.metadata.namespace, labels: { 'strimzi.io/cluster': args.name }, annotations },
            spec: { ...(resource === topic.name ? {} : { topicName: topic.name }), partitions, replicas, config },
          },
          { ...opts, protect: true, dependsOn: [kafka], ...options },
        ),
    );
  });
}
