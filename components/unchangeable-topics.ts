import type { InstalledKafka } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import type { Refusal } from './refusal.ts';
import { type Running, type RunningObject, wasReady } from './running.ts';

const partitions = 'Kafka takes no partition from a topic: set it back, or go on with a new topic.';
const replicas = 'Without Cruise Control Strimzi does not change it: set it back, or go on with a new topic. Where somebody has moved the partitions by hand, run `kbf refresh` (or `pulumi refresh`) before `up`.';

/** What neither Strimzi does to a topic nor the engine, which keeps records: both say so only at the end. */
export function otherTopics({ cluster, objects, object }: Running, { topics }: InstalledKafka): Refusal[] {
  return [
    ...goneTopics(objects('KafkaTopic').filter((topic) => !topics.some(({ name }) => name === nameOf(topic))), cluster),
    ...topics.flatMap(({ name, ...wanted }, index) => {
      const topic = object('KafkaTopic', `kafka-topic-${name}`);
      // One that Strimzi never took may be corrected.
      if (topic === undefined || !wasReady(topic)) return [];
      const path = `kafka.topics[${index}]`;
      const { partitions: before, replicas: copies } = topic.spec;
      return [
        ...(typeof before === 'number' && wanted.partitions < before ? [{ path: `${path}.partitions`, running: String(before), wanted: String(wanted.partitions), instead: partitions }] : []),
        ...(typeof copies === 'number' && wanted.replicas !== copies ? [{ path: `${path}.replicas`, running: String(copies), wanted: String(wanted.replicas), instead: replicas }] : []),
      ];
    }),
  ];
}

/** The operator has to be there for it, which by its default goes with the last topic: so they go first. */
function goneTopics(gone: readonly RunningObject[], context = ''): Refusal[] {
  const [first] = gone;
  if (first === undefined) return [];
  const kubectl = `kubectl --context ${shellWord(context)} -n ${first.namespace ?? ''} delete kafkatopic ${gone.map(({ name }) => name ?? '').join(' ')}`;
  const instead = `A topic's records go with it, so that up deletes none: set it back. Where they are to go: ${kubectl}, and then run \`kbf refresh\` (or \`pulumi refresh\`) before \`up\`.`;
  return [{ path: 'kafka.topics', running: gone.map(nameOf).join(', '), wanted: 'none of this name', instead }];
}

/** Kubernetes does not take every name that Kafka takes. */
function nameOf({ name, spec }: RunningObject): string {
  return String(spec['topicName'] ?? name);
}
