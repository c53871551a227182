import { isLaterThanKnown, operatorRelease, operatorReleases } from '../config/versions.ts';

/** A definition of resources, as far as it says in which versions objects may be stored. */
export interface StoredDefinition {
  readonly status?: { readonly storedVersions?: readonly string[] };
}

/** `kafkas.kafka.strimzi.io`. */
export function definitionName(kind: string, group: string): string {
  return `${kind.toLowerCase()}s.${group}`;
}

/**
 * Versions in which objects may be stored, and which a release of Strimzi has no more: Kubernetes refuses its definitions while one of them is in
 * `status.storedVersions`. 0.49 to 0.51 serve v1 and store v1beta2, so that it is there whatever was written.
 * @param release of the operator that is to come; a later one than is known has no more than the last that is
 */
export function storedOtherwise(release: string, definition: StoredDefinition | undefined): string[] {
  const api: readonly string[] | undefined = (isLaterThanKnown(release) ? operatorReleases.at(-1) : operatorRelease(release))?.api;
  // Before, all definitions but those of topics and users have v1beta2 alone, and these have more than the table says.
  if (api === undefined || api.includes('v1beta2')) return [];
  return (definition?.status?.storedVersions ?? []).filter((version) => !api.includes(version));
}

/** How that is ended, by what comes with those releases. */
export const convertFirst = 'While Strimzi 0.49 to 0.51 runs there, run bin/v1-api-conversion.sh of its release: convert-resource where objects are not of v1 yet, then crd-upgrade.';
