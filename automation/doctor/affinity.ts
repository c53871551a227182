import { bridgeHosts } from '../../components/bridge-hosts.ts';
import { Check, type Finding } from './finding.ts';
import type { Look } from './look.ts';

/** Whether all that is asked of a consumers' group goes to one bridge of a region's several: each knows its own instances alone, and answers 404 to what is asked of another's. */
export function judgeAffinity({ configuration: { regions, bridge, tsb } }: Pick<Look, 'configuration'>): Finding[] {
  if (tsb.envoyFilters !== 'none' && bridgeHosts(bridge).local !== undefined) return [];
  return regions.flatMap(({ name, replicas }, index) => (replicas === 1 ? [] : [
    new Check('consumers', name).warning(`has ${String(replicas)} bridges, and nothing keeps what is asked of a group at one of them: another answers 404 to a consumer that it does not know`, {
      remedy: `If anybody consumes there, set regions[${String(index)}].replicas to 1, or leave tsb.envoyFilters and bridge.service at their defaults.`,
    }),
  ]));
}
