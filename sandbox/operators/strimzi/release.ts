import { operatorReleases, type OperatorRelease } from '../../../config/versions.ts';

/**
 * The releases of Strimzi that this stand-in can be: those of 1.x, whose objects are named and made alike. They differ in what they
 * serve: versions of Kafka, the bridge that they start by themselves.
 */
export const releases: readonly OperatorRelease[] = operatorReleases.filter(({ api }) => !api.includes('v1beta2') && api.includes('v1'));

/** undefined when this stand-in cannot be that release. */
export function findRelease(version: string): OperatorRelease | undefined {
  return releases.find(({ operator }) => operator === version);
}
