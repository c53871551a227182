import { compareVersions } from './versions.ts';

/** Versions of Kafka's metadata without ZooKeeper, oldest first: those that Kafka 4.3 has names for. Source: its MetadataVersion. */
export const metadataVersions: readonly string[] = [
  '3.3-IV3', '3.4-IV0', '3.5-IV0', '3.5-IV1', '3.5-IV2', '3.6-IV0', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV1', '3.7-IV2', '3.7-IV3', '3.7-IV4',
  '3.8-IV0', '3.9-IV0', '4.0-IV0', '4.0-IV1', '4.0-IV2', '4.0-IV3', '4.1-IV0', '4.1-IV1', '4.2-IV0', '4.2-IV1', '4.3-IV0',
];

/** Those with which Kafka writes its metadata in another way than before, so that it goes back behind none of them. Source: the same. */
const rewriting = ['3.4-IV0', '3.5-IV2', '3.6-IV1', '3.6-IV2', '3.7-IV0', '3.7-IV2', '4.0-IV1', '4.3-IV0'];

/** The release of Kafka that a version of its metadata is of: `4.2` for `4.2-IV1`, and for a Kafka 4.2.1. */
export function releaseOfMetadata(version: string): string {
  return version.split(/[.-]/).slice(0, 2).join('.');
}

/**
 * The whole name of a version of Kafka's metadata.
 * @param version `4.2-IV1`, or a release or a Kafka for the newest of it: `4.2`, `4.2.1`
 * @returns undefined when there is none of this name, or none that is known
 */
export function metadataName(version: string): string | undefined {
  return version.includes('-') ? metadataVersions.find((each) => each === version) : metadataVersions.findLast((each) => releaseOfMetadata(each) === releaseOfMetadata(version));
}

/** Whether it is of a release that came after the newest one known, of which nothing can be said. */
export function isLaterMetadata(version: string): boolean {
  return compareVersions(releaseOfMetadata(version), releaseOfMetadata(metadataVersions.at(-1) ?? '')) > 0;
}

/** Whether Kafka refuses to go from one version of its metadata back to another. What is not known is left to Kafka. */
export function isOneWay(from: string, to: string): boolean {
  const [before, after] = [from, to].map((version) => (isLaterMetadata(version) ? Infinity : metadataVersions.indexOf(metadataName(version) ?? '')));
  if (before === undefined || after === undefined || before < 0 || after < 0) return false;
  return rewriting.map((version) => metadataVersions.indexOf(version)).some((index) => index > after && index <= before);
}
