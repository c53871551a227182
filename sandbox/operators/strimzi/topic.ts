import { serverText } from '../../bridge/cluster.ts';
import { createTopics, type TopicAdmin } from './topic-admin.ts';
import type { KubernetesCluster } from './cluster.ts';
import { internalPorts } from './kafka-plan.ts';
import { Failure, type Kafka, type KafkaTopic } from './model.ts';
import type { Outcome } from './reconciler.ts';
import { unhonouredWarnings } from './status.ts';

export const topicFinalizer = 'strimzi.io/topic-operator';

/** Brings one KafkaTopic about, through the brokers' own listener: made where it is missing, its configuration, more partitions. */
export async function reconcileTopic(cluster: KubernetesCluster, topic: KafkaTopic): Promise<Outcome> {
  const { metadata, spec } = topic;
  const topicName = spec.topicName ?? metadata.name;
  const warnings = unhonouredWarnings(topic, 'KafkaTopic');
  const fields = { topicName };
  const kafka = metadata.labels?.['strimzi.io/cluster'];
  if (kafka === undefined) return { state: 'failed', warnings, fields, failure: new Failure('InvalidResourceException', 'The label strimzi.io/cluster does not name a Kafka cluster') };
  const { spec: its } = (await cluster.get<Kafka>(topic.apiVersion, 'Kafka', metadata.namespace, kafka)) ?? {};
  if (its?.entityOperator?.topicOperator === undefined) {
    return { state: 'failed', warnings, fields, failure: new Failure('InvalidResourceException', `Kafka ${kafka} has no spec.entityOperator.topicOperator, so that nobody obeys its topics`) };
  }
  const admin = createTopics(`${kafka}-kafka-bootstrap.${metadata.namespace}.svc:${String(internalPorts.replication)}`);
  try {
    if (metadata.deletionTimestamp !== undefined) {
      await admin.delete(topicName);
      await cluster.patch(topic, { metadata: { finalizers: (metadata.finalizers ?? []).filter((each) => each !== topicFinalizer) } });
      return { state: 'waiting', warnings, fields, waitingFor: `KafkaTopic resource ${metadata.name} to be deleted` };
    }
    if (!(metadata.finalizers ?? []).includes(topicFinalizer)) await cluster.patch(topic, { metadata: { finalizers: [...(metadata.finalizers ?? []), topicFinalizer] } });
    await bringAbout(admin, topicName, topic);
    return { state: 'ready', warnings, fields };
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure('KafkaError', serverText(error));
    return { state: 'failed', warnings, fields, failure };
  } finally {
    await admin.close();
  }
}

/** @throws Failure for what the real operator refuses; what it does not refuse is done all the same */
export async function bringAbout(admin: TopicAdmin, name: string, { spec }: KafkaTopic): Promise<void> {
  const config = Object.entries(spec.config ?? {}).map(([key, value]) => ({ name: key, value: String(value) }));
  const there = await admin.replicas(name);
  if (there === undefined) {
    await admin.create(name, { partitions: spec.partitions ?? -1, replicas: spec.replicas ?? -1, config });
    return;
  }
  const wanted = new Set(config.map((each) => each.name));
  const revert = (await admin.configured(name)).filter((each) => !wanted.has(each));
  if (config.length + revert.length > 0) await admin.configure(name, config, revert);
  const { partitions = there.length, replicas } = spec;
  if (partitions < there.length) throw new Failure('NotSupported', `Decreasing partitions not supported`);
  if (partitions > there.length) await admin.addPartitions(name, partitions);
  const different = there.flatMap((count, partition) => replicas === undefined || count === replicas ? [] : [partition]);
  if (different.length > 0) throw new Failure('NotSupported', `Replication factor change not supported, but required for partitions [${different.join(', ')}]`);
}
