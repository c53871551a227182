import * as pulumi from '@pulumi/pulumi';

import type { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import type { Previous } from './previous.ts';

/** What the rest of the program knows of a region. */
export type RegionOutputs = Pick<KafkaBridgeRegion, 'tsbCluster' | 'bridge' | 'bridgeService' | 'gatewayAddress' | 'regionUrl'>;

/** By name, the regions that nothing is done about in this run, with what was last known of them: nothing of one that never was. */
export type SkippedRegions = ReadonlyMap<string, RegionOutputs | undefined>;

/** The variable with the names of the regions to skip, by commas. No setting: it is meant for one run. */
export const skipVariable = 'KBF_SKIP_REGIONS';

/**
 * The regions that the driver wants to be skipped, because their clusters do not answer. It has the engine leave their objects alone as well: a
 * region that is not registered would be deleted.
 */
export function skippedRegions(previous: Previous, env: NodeJS.ProcessEnv = process.env): SkippedRegions {
  const names = (env[skipVariable] ?? '').split(',').filter((name) => name !== '');
  return new Map(names.map((name) => [name, lastKnown(previous, name)]));
}

function lastKnown(previous: Previous, region: string): RegionOutputs | undefined {
  const outputs = previous.outputsOf('kbf:index:KafkaBridgeRegion', region);
  if (outputs === undefined) return undefined;
  const last = (name: keyof RegionOutputs): pulumi.Output<string> => pulumi.output(outputs[name] as string);
  return { tsbCluster: last('tsbCluster'), bridge: last('bridge'), bridgeService: last('bridgeService'), gatewayAddress: last('gatewayAddress'), regionUrl: last('regionUrl') };
}
