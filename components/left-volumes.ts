import type { Configuration } from '../config/schema.ts';
import { nodePool } from '../config/names.ts';
import { type LiveObject, plainError } from './cluster-reader.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import { apiVersion } from './resources/strimzi.ts';
import { runningIn } from './running.ts';
import { within } from './within.ts';

/**
 * Refuses to make a Kafka where the volumes of an earlier one are: they stay when it goes, unless `kafka.storage.deleteClaim` says otherwise, and with
 * KRaft brokers of another cluster id end at once, so that it would only never be ready (strimzi-kafka-operator#10722). A cluster that cannot be asked is left to the engine.
 * @throws pulumi.RunError that names the volumes' claims and what to do
 */
export async function refuseLeftVolumes({ previous, configuration: { kafka }, cluster }: Pick<Surroundings, 'previous' | 'cluster'> & { configuration: Pick<Configuration, 'kafka'> }): Promise<void> {
  if (kafka.existing !== undefined || kafka.api !== 'v1' || runningIn(previous)('KafkaCluster', 'kafka').object('Kafka', 'kafka') !== undefined) return;
  const { context, namespace, name, storage } = kafka;
  const read = async (object: { apiVersion: string; kind: string; name: string }): Promise<LiveObject | undefined> => await within(cluster(context).reader.read({ ...object, namespace }));
  // By its first broker's, as the node pool's ids begin with 0.
  const claim = `data-0-${name}-${nodePool}-0`;
  const [left, running] = await Promise.all([read({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: claim }), read({ apiVersion: apiVersion(kafka.api), kind: 'Kafka', name })]).catch(() => []);
  // A Kafka that is there, as a run leaves it that was killed, knows its id.
  if (left === undefined || running !== undefined) return;
  throw plainError([
    `kafka.name: namespace ${namespace} of cluster ${context} has volumes of an earlier Kafka ${name} (claim ${claim}), on which a new one does not start; nothing was changed.`,
    `Where nobody needs its records: kubectl --context ${context} -n ${namespace} delete pvc -l strimzi.io/cluster=${name}${storage.deleteClaim ? '' : '. With kafka.storage.deleteClaim they go with the brokers'}. Where somebody does: choose another name.`,
  ].join('\n'));
}
