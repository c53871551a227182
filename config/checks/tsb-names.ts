import { type Problem, problemsFrom } from '../problems.ts';
import type { Configuration } from '../schema.ts';
import { checkClusters } from './aliases.ts';
import { checkTsbClusters } from './duplicates.ts';
import { contextReader } from './kubeconfigs.ts';
import { checkTsbNetworks } from './tsb.ts';

/** What TSB calls the clusters of regions, in their order, and of tier1; undefined where that is not known. */
export interface TsbNames {
  readonly regions: readonly (string | undefined)[];
  readonly tier1: string | undefined;
}

/** The configuration with names that were read, where it says none. */
export function withTsbNames(configuration: Configuration, { regions, tier1 }: TsbNames): Configuration {
  return {
    ...configuration,
    regions: configuration.regions.map((region, index) => ({ ...region, tsbCluster: region.tsbCluster ?? regions[index] })),
    tier1: { ...configuration.tier1, tsbCluster: configuration.tier1.tsbCluster ?? tier1 },
  };
}

/** What is wrong with a configuration by names that it leaves to the clusters. The rules are those of names that are written. */
export function tsbNameProblems(configuration: Configuration, names: TsbNames): Problem[] {
  const named = withTsbNames(configuration, names);
  const { kubeconfig, gcp, regions, tier1, tsb } = named;
  const ofClusters = checkClusters({ kubeconfig, gcp, regions, tier1, tsb, existingKafka: undefined }, contextReader('/'), checkTsbClusters);
  return problemsFrom([...ofClusters, ...checkTsbNetworks(named)], configuration, named);
}
