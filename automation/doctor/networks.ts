import { Check, type Finding } from './finding.ts';
import type { Look } from './look.ts';

/**
 * Whether regions reach each other by their networks, as far as the settings and clusters' names in TSB say it: where they do not, TSB gives a region's gateway no way to its peers' bridges, and what it has
 * not handed on yet fails until tier1 has left the region. Without any reachability the organization keeps what it has, which is somebody else's.
 */
export function judgeNetworks({ configuration: { tsb, regions } }: Pick<Look, 'configuration'>): Finding[] {
  const { networks, reachability } = tsb.setup ?? { networks: {}, reachability: {} };
  if (Object.keys(reachability).length === 0) return [];
  const placed = regions.flatMap(({ name, tsbCluster }) => {
    const network = tsbCluster === undefined || !Object.hasOwn(networks, tsbCluster) ? undefined : networks[tsbCluster];
    return network === undefined ? [] : [{ name, network }];
  });
  return placed.flatMap(({ name, network }) => {
    const reached = [network, ...Object.hasOwn(reachability, network) ? reachability[network] ?? [] : []];
    const missing = placed.filter((peer) => !reached.includes(peer.network));
    if (missing.length === 0) return [];
    return [new Check('networks', name).warning(`its network ${network} does not reach that of ${missing.map((peer) => `${peer.name} (${peer.network})`).join(', ')}: without a bridge of its own it answers 503 for the half second until tier1 leaves it`, {
      remedy: `If packets can go that way, add to tsb.setup.reachability.${network}: ${[...new Set(missing.map((peer) => peer.network))].join(', ')}.`,
    })];
  });
}
