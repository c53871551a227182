import { brokerClaim } from '../config/names.ts';
import { amountOf } from '../config/quantity.ts';
import type { Configuration, InstalledKafka } from '../config/schema.ts';
import { shellWord } from '../config/shell-word.ts';
import { asRecord } from '../config/text.ts';
import { type ClusterReader, plainError } from './cluster-reader.ts';
import type { Surroundings } from './foreign-namespaces.ts';
import { runningIn, textOf } from './running.ts';
import { type RunningVolumes, runningVolumes } from './running-volumes.ts';
import { within } from './within.ts';

/**
 * Refuses to make volumes larger whose StorageClass cannot: Strimzi leaves them as they are without a word, and the size could not be set back afterwards. A cluster that cannot be asked, or
 * that does not let these credentials look, is left to the engine.
 * @throws pulumi.RunError that names the setting, a claim, its class and what to do
 */
export async function refuseFixedVolumes({ previous, configuration: { kafka }, cluster }: Pick<Surroundings, 'previous' | 'cluster'> & { configuration: Pick<Configuration, 'kafka'> }): Promise<void> {
  if (kafka.existing !== undefined) return;
  const growing = growingVolumes(kafka, runningVolumes(runningIn(previous)('KafkaCluster', 'kafka')));
  const refusals = await Promise.all(growing.map(async (volumes) => await fixed(volumes, kafka, async (reference) => await within(cluster(kafka.context).reader.read(reference))).catch(() => undefined)));
  const refusal = refusals.find((each) => each !== undefined);
  if (refusal !== undefined) throw plainError(refusal);
}

/** Volumes that are to be larger than they are, and the claim of one of them. */
interface Growing {
  readonly path: string;
  readonly size: string;
  readonly running: string;
  readonly claim: string;
}

function growingVolumes({ name, storage, zookeeper }: InstalledKafka, running: RunningVolumes): Growing[] {
  const all = [
    { path: 'kafka.storage.size', size: storage.size, running: textOf(running.kafka?.['size']), claim: brokerClaim(name, 0) },
    { path: 'kafka.zookeeper.storage.size', size: zookeeper?.storage.size, running: textOf(running.zookeeper?.['size']), claim: `data-${name}-zookeeper-0` },
  ];
  return all.flatMap(({ size, running: before, ...more }) => (size !== undefined && before !== undefined && amountOf(size) > amountOf(before) ? [{ size, running: before, ...more }] : []));
}

async function fixed({ path, size, running, claim: name }: Growing, { context, namespace }: InstalledKafka, read: ClusterReader['read']): Promise<string | undefined> {
  const claim = await read({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name });
  if (claim === undefined) return undefined;
  const storageClass = textOf(asRecord(claim['spec'])['storageClassName']) ?? '';
  const { allowVolumeExpansion } = storageClass === '' ? {} : await read({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name: storageClass }) ?? {};
  if (allowVolumeExpansion === true) return undefined;
  const why = storageClass === '' ? 'has no StorageClass that could make it larger' : `is of StorageClass ${storageClass}, which is not said to make volumes larger (allowVolumeExpansion)`;
  return [
    `${path}: ${size} is wanted, ${running} is running, and claim ${name} in namespace ${namespace} of cluster ${context} ${why}: Strimzi would leave the volumes as they are without a word; nothing was changed.`,
    `Set it back, or mirror the records to a Kafka of another stack.${storageClass === '' ? '' : ` Where the driver of the class can do it: kubectl --context ${shellWord(context)} patch storageclass ${storageClass} -p '{"allowVolumeExpansion": true}'`}`,
  ].join('\n');
}
