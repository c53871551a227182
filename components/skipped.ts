import * as pulumi from '@pulumi/pulumi';

import type { KafkaBridgeRegion } from './kafka-bridge-region.ts';
import type { Previous } from './previous.ts';
import { textOf } from './running.ts';

/** What the rest of the program knows of a region. */
export type RegionOutputs = Pick<KafkaBridgeRegion, 'tsbCluster' | 'bridge' | 'bridgeService' | 'gatewayAddress' | 'regionUrl'>;

/** By name, the regions that nothing is done about in this run, with what was last known of them: nothing of one that never was made in full. */
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

/** Of a region whose making failed the state has the component, and none of its outputs. */
function lastKnown(previous: Previous, region: string): RegionOutputs | undefined {
  const outputs = previous.outputsOf('kbf:index:KafkaBridgeRegion', region) ?? {};
  const [tsbCluster, bridge, bridgeService, gatewayAddress, regionUrl] = ['tsbCluster', 'bridge', 'bridgeService', 'gatewayAddress', 'regionUrl'].map((name) => textOf(outputs[name]));
  if (tsbCluster === undefined || bridge === undefined || bridgeService === undefined || gatewayAddress === undefined || regionUrl === undefined) return undefined;
  return { tsbCluster: pulumi.output(tsbCluster), bridge: pulumi.output(bridge), bridgeService: pulumi.output(bridgeService), gatewayAddress: pulumi.output(gatewayAddress), regionUrl: pulumi.output(regionUrl) };
}
