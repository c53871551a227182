import * as pulumi from '@pulumi/pulumi';

import { tsbNameProblems } from '../config/checks/tsb-names.ts';
import { problemText } from '../config/problems.ts';
import type { Configuration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import { plainError } from './cluster-reader.ts';
import type { SkippedRegions } from './skipped.ts';
import { tsbClusterName } from './tsb-cluster.ts';

export interface TsbClusters {
  /** In the configuration's order. */
  readonly regions: readonly pulumi.Output<string>[];
  readonly tier1: pulumi.Output<string>;
  /** What is made in TSB comes after this: it fails where the names do not fit the settings. */
  readonly checked: Promise<pulumi.Resource[]>;
}

/**
 * What TSB calls the clusters of regions and tier1. No name is known before all of them are found to fit the settings, as far as they can be
 * told yet. A cluster that is skipped is not asked.
 * @throws pulumi.RunError, in what it returns, where they do not fit, or where one has no name
 */
export function tsbClusterNames(configuration: Configuration, cluster: (context: string) => Cluster, skipped: SkippedRegions): TsbClusters {
  const { regions, tier1 } = configuration;
  const ofRegions = regions.map(({ name, context, tsbCluster: configured }, index) => {
    const path = `regions[${index}].tsbCluster`;
    return skipped.has(name) ? lastName(path, configured ?? skipped.get(name)?.tsbCluster) : tsbClusterName({ cluster: cluster(context), path, configured });
  });
  const ofTier1 = tsbClusterName({ cluster: cluster(tier1.context), path: 'tier1.tsbCluster', configured: tier1.tsbCluster });
  const fitting = Promise.all([Promise.all(ofRegions), ofTier1]).then(([inRegions, inTier1]) => {
    refuseMisfits(configuration, { regions: inRegions.map(told), tier1: told(inTier1) });
    return { regions: inRegions, tier1: inTier1 };
  });
  return {
    regions: regions.map((_, index) => pulumi.output(fitting.then((names) => names.regions[index] as pulumi.Input<string>))),
    tier1: pulumi.output(fitting.then((names) => names.tier1)),
    checked: fitting.then(() => []),
  };
}

function refuseMisfits(configuration: Configuration, names: Parameters<typeof tsbNameProblems>[1]): void {
  const problems = tsbNameProblems(configuration, names);
  if (problems.length === 0) return;
  throw plainError([
    'What TSB calls the clusters does not fit the settings:', ...problems.map((problem) => `  ${problemText(problem)}`),
    'Names that are not set are those that the clusters’ ControlPlanes istio-system/controlplane say. Change the settings; where a name is another cluster’s, its context is wrong.',
  ].join('\n'));
}

/** A name that is known. */
function told(name: pulumi.Input<string>): string | undefined {
  return typeof name === 'string' ? name : undefined;
}

async function lastName(path: string, known: pulumi.Input<string> | undefined): Promise<string> {
  if (known === undefined) throw plainError(`${path} is not set, and its cluster is skipped: set it to what TSB calls the cluster.`);
  return await new Promise((resolve) => { pulumi.output(known).apply(resolve); });
}
