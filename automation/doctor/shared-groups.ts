import { Check, type Finding } from './finding.ts';
import type { Look } from './look.ts';

/** Whether gateways of the deprecated kinds have a group for themselves: TSB sends both of one group to each of its clusters, and takes a host name from one gateway of a cluster only. */
export function judgeSharedGroups({ configuration: { regions, tsb } }: Pick<Look, 'configuration'>): Finding[] {
  if (tsb.api !== 'tier1gateway') return [];
  const { bridges: common, existing } = tsb.groups;
  const shared = Map.groupBy(regions, ({ name }) => existing.regions[name] ?? common);
  return [...shared].flatMap(([group, members]) => (group === undefined || members.length === 1 ? [] : [
    new Check('groups', group).warning(`has the gateways of ${members.map(({ name }) => name).join(' and ')}, so that each cluster gets the same host name from ${String(members.length)} IngressGateways: TSB wants it from one`, {
      remedy: 'Give each region a group of its own: without tsb.groups.bridges, or by tsb.groups.existing.regions; or choose tsb.api: gateway.',
    }),
  ]));
}
