import { asRecord } from '../config/text.ts';
import type { Running } from './running.ts';

/** What a broker's and a ZooKeeper's volume was made with, as the last run left it: `size`, `class`. */
export interface RunningVolumes {
  readonly kafka: Readonly<Record<string, unknown>> | undefined;
  readonly zookeeper: Readonly<Record<string, unknown>> | undefined;
}

export function runningVolumes({ object }: Pick<Running, 'object'>): RunningVolumes {
  const { kafka, zookeeper } = object('Kafka', 'kafka')?.spec ?? {};
  return { kafka: volumeOf(object('KafkaNodePool', 'kafka-pool')?.spec) ?? volumeOf(kafka), zookeeper: volumeOf(zookeeper) };
}

/** The first volume of a node pool, or the one of a Kafka or a ZooKeeper without pools. */
function volumeOf(spec: unknown): Record<string, unknown> | undefined {
  const { storage: given } = asRecord(spec);
  if (given === undefined) return undefined;
  const { volumes: list } = asRecord(given);
  return asRecord(Array.isArray(list) ? list[0] : given);
}
