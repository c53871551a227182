import { metadataName, metadataVersions, releaseOfMetadata } from '../../../config/metadata-versions.ts';
import { compareVersions } from '../../../config/versions.ts';
import { Failure } from './model.ts';

/** The level that Kafka's protocol knows the first metadata version by; each later one has the next. As `kafka-features.sh version-mapping` of Kafka 4.3 says. */
const firstLevel = 7;

/** @param version `4.2-IV1`, or `4.2` for the newest of that release. @returns undefined when there is none of this name */
export function levelOf(version: string): number | undefined {
  const name = metadataName(version);
  return name === undefined ? undefined : firstLevel + metadataVersions.indexOf(name);
}

export function nameOfLevel(level: number): string {
  return metadataVersions[level - firstLevel] ?? String(level);
}

/** The newest metadata version that a Kafka understands, e.g. `4.3-IV0` for 4.3.1. */
export function newestMetadata(kafka: string): string {
  const name = metadataName(kafka);
  if (name === undefined) throw new Failure('UnsupportedKafkaVersionException', `This stand-in for the Strimzi operator does not know the metadata version of Kafka ${kafka}`);
  return name;
}

/** What is there before a reconciliation. */
export interface Running {
  /** Kafka of each pod; none of a cluster that is new. */
  readonly pods: readonly string[];
  /** As the status has them since the last reconciliation that succeeded. */
  readonly kafkaVersion: string | undefined;
  readonly metadataVersion: string | undefined;
}

/**
 * The metadata version that Kafka has when a reconciliation ends: while versions of Kafka change the one that it had, so that going back
 * stays possible; in the next reconciliation the newest, or the one that is asked for where Kafka understands it.
 * As Strimzi's KRaftVersionChangeCreator has it, and its KRaftUtils, which refuses names that no Kafka has.
 * @param version that is asked for, one that the operator serves
 * @param desired `spec.kafka.metadataVersion`
 * @throws Failure for a Kafka that would not understand the metadata that is there, and for a version of metadata that there is none of
 */
export function wantedMetadata(version: string, { pods, kafkaVersion, metadataVersion: current }: Running, desired: string | undefined): string {
  const sorted = [...pods, ...(kafkaVersion === undefined ? [] : [kafkaVersion])].sort(compareVersions);
  const [lowest = version] = sorted;
  const highest = sorted.at(-1) ?? version;
  if (compareVersions(highest, version) > 0) return kept(current, version, 'we are downgrading to');
  if (compareVersions(lowest, version) < 0) return kept(current, lowest, 'we upgrade from');
  const newest = newestMetadata(version);
  if (desired === undefined) return newest;
  if (isNewer(desired, newest)) return current ?? newest;
  if (metadataName(desired) === undefined) throw new Failure('InvalidResourceException', `Metadata version ${desired} is invalid`);
  return desired;
}

function kept(current: string | undefined, kafka: string, what: string): string {
  const newest = newestMetadata(kafka);
  if (current !== undefined && isNewer(current, newest)) {
    throw new Failure('KafkaUpgradeException', `The current metadata version (${current}) has to be lower or equal to the Kafka broker version ${what} (${kafka})`);
  }
  return current ?? newest;
}

/** By their releases, whatever comes after them. */
function isNewer(one: string, other: string): boolean {
  return compareVersions(releaseOfMetadata(one), releaseOfMetadata(other)) > 0;
}
