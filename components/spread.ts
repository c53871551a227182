import type { BridgeConfiguration } from '../config/schema.ts';
import type { TopologySpread } from './resources/strimzi.ts';

/** Keeps the pods of these labels apart. Over zones means over hosts as well: where there is one zone there still are hosts. Where it is not possible pods start all the same. */
export function spread(matchLabels: Readonly<Record<string, string>>, over: BridgeConfiguration['spread']): { topologySpreadConstraints?: TopologySpread[] } {
  const keys = { zone: ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'], host: ['kubernetes.io/hostname'], none: [] }[over];
  if (keys.length === 0) return {};
  return { topologySpreadConstraints: keys.map((topologyKey) => ({ maxSkew: 1, topologyKey, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels } })) };
}
