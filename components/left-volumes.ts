import { brokerClaim, nodePool } from '../config/names.ts';
import type { Configuration, InstalledKafka } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { asRecord } from '../config/text.ts';
import { type ClusterReader, type LiveObject, plainError } from './cluster-reader.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import { apiVersion } from './resources/strimzi.ts';
import { runningIn } from './running.ts';
import { within } from './within.ts';

/**
 * Refuses to make a Kafka where the volumes of an earlier one are: else it would only never be ready. A cluster that cannot be asked is left to the engine.
 * @throws pulumi.RunError that names the claim of one and what to do
 */
export async function refuseLeftVolumes({ previous, configuration: { kafka }, cluster }: Pick<Surroundings, 'previous' | 'cluster'> & { configuration: Pick<Configuration, 'kafka'> }): Promise<void> {
  if (kafka.existing !== undefined || runningIn(previous)('KafkaCluster', 'kafka').object('Kafka', 'kafka') !== undefined) return;
  const { context, namespace } = kafka;
  const left = await leftVolumes(kafka, async (reference) => await within(cluster(context).reader.read(reference))).catch(() => undefined);
  if (left !== undefined) throw plainError(`kafka.name: namespace ${namespace} of cluster ${context} ${left.found}; nothing was changed.\n${left.remedy}`);
}

/**
 * What is in the way of a new Kafka in its namespace, in words that follow the namespace's name, and what to do; undefined where nothing is. Volumes stay when
 * a Kafka goes, unless `kafka.storage.deleteClaim` says otherwise, and with KRaft brokers of another cluster id end at once (strimzi-kafka-operator#10722).
 * @param read of its cluster
 */
export async function leftVolumes(kafka: InstalledKafka, read: ClusterReader['read']): Promise<{ found: string; remedy: string } | undefined> {
  const { api, context, namespace, name, brokers, storage } = kafka;
  const find = async (group: string, kind: string, of: string): Promise<LiveObject | undefined> => await read({ apiVersion: group, kind, namespace, name: of });
  // With ZooKeeper, which keeps the id, they are taken up again; and a Kafka that is there, as a run leaves it that was killed, knows its own.
  if (api !== 'v1' || stays(await find(apiVersion(api), 'Kafka', name))) return undefined;
  // The node pool's ids begin with 0.
  const claims = Array.from({ length: brokers }, (_, id) => brokerClaim(name, id));
  const [pool, volumes] = await Promise.all([
    find(apiVersion(api), 'KafkaNodePool', nodePool),
    Promise.all(claims.map(async (claim) => ({ claim, live: await find('v1', 'PersistentVolumeClaim', claim) }))),
  ]);
  const there = volumes.flatMap(({ claim, live }) => (live === undefined ? [] : [{ claim, leaves: !stays(live) || (isOwned(live) && !stays(pool)) }]));
  // The pool has the id as well, and gives it to a Kafka that is made beside it.
  const left = stays(pool) && typeof asRecord(pool['status'])['clusterId'] === 'string' ? undefined : there.find(({ leaves }) => !leaves);
  const kubectl = (verb: string): string => `kubectl --context ${shellWord(context)} -n ${namespace} ${verb} pvc -l strimzi.io/cluster=${name}`;
  if (left !== undefined) {
    return {
      found: `has volumes of an earlier Kafka ${name} (claim ${left.claim}), on which a new one does not start`,
      remedy: `Where nobody needs its records: ${kubectl('delete')}. Where somebody does need them: choose another name.${storage.deleteClaim ? '' : ' With kafka.storage.deleteClaim volumes go with the brokers.'}`,
    };
  }
  const leaving = there.find(({ leaves }) => leaves);
  return leaving && {
    found: `still has volumes of an earlier Kafka ${name}, which are on their way out (claim ${leaving.claim})`,
    remedy: `They are gone when the last pod that uses them has ended: run \`up\` again in a moment. To see whether they are: ${kubectl('get')}`,
  };
}

function stays(live: LiveObject | undefined): live is LiveObject {
  return live !== undefined && live.metadata?.deletionTimestamp === undefined;
}

/** By the node pool, and then it goes with that: so says `kafka.storage.deleteClaim`. */
function isOwned({ metadata }: LiveObject): boolean {
  return (metadata?.ownerReferences ?? []).length > 0;
}
