import { regionGroup } from '../config/names.ts';
import type { Configuration } from '../config/schema.ts';
import { type Refusal, same } from './refusal.ts';
import { type Running, type RunningObject, textOf } from './running.ts';

const moved = 'The gateways below it would be without routes until TSB has all of it anew, while clients wait: set it back, or run destroy first.';

const oneEach = 'TSB takes one for each workspace: it refuses another while this one is there, and failover goes with this one. Set it back, or run destroy first. Where TSB refused this one, delete it by kubectl and run `kbf refresh` (or `pulumi refresh`) before `up`.';

const oneOrganization = 'TSB takes one for the organization, and this one would stay beside the other. Set it back; where it is not the one that TSB goes by, delete it by kubectl and run `kbf refresh` (or `pulumi refresh`) before `up`.';

/** Names of what gateways are below in TSB: with another name it is another object, and what was below the first goes with it. And those of the workspaces' settings and of the organization's. */
export function movedInTsb(running: (component: string, name: string) => Running, { organization, tenant, workspaces, groups, settings, setup }: Configuration['tsb'], regions: Configuration['regions']): Refusal[] {
  const { object } = running('TsbWorkspace', 'tsb');
  const { edge, bridges, existing } = groups;
  const gateways = [
    {
      side: 'edge' as const, above: aboveGateway(running('Tier1Failover', 'tier1'), 'tier1'),
      group: wantedGroup({ path: 'tsb.groups.edge', name: edge }, { path: 'tsb.groups.existing.edge', name: existing.edge }),
      internal: wantedGroup({ path: 'tsb.groups.edge', name: edge }, { path: 'tsb.groups.existing.internal.edge', name: existing.internal.edge }),
    },
    ...regions.map(({ name }) => {
      const [ofGateway, ofFilters] = [`tsb.groups.existing.regions.${name}`, `tsb.groups.existing.internal.regions.${name}`];
      return {
        side: 'bridges' as const, above: aboveGateway(running('KafkaBridgeRegion', name), name),
        group: wantedGroup({ path: 'tsb.groups.bridges', name: bridges ?? regionGroup(name) }, { path: ofGateway, name: existing.regions[name] }),
        internal: wantedGroup({ path: ofFilters, name: regionGroup(name) }, { path: ofFilters, name: existing.internal.regions[name] }),
      };
    }),
  ];
  const below = gateways.flatMap(({ side, above, group, internal }) => [
    ...same('tsb.organization', above('organization'), organization, moved),
    ...stays({ path: 'tsb.tenant', ...tenant }, above('tenant'), object('Tenant', 'tsb-tenant')),
    ...stays({ path: `tsb.workspaces.${side}`, ...workspaces[side] }, above('workspace'), object('Workspace', `tsb-workspace-${side}`)),
    ...stays(group, above('gatewayGroup'), object('GatewayGroup', `tsb-gateways-${group.name}`)),
    ...stays(internal, above('istioInternalGroup'), object('IstioInternalGroup', `tsb-istio-${internal.name}`)),
  ]);
  return [
    ...below,
    ...(['bridges', 'edge'] as const).flatMap((side) => otherSetting(object('WorkspaceSetting', `tsb-setting-${side}`), workspaces[side].name, { path: `tsb.settings.${side}`, wanted: settings[side] })),
    ...(Object.keys(setup?.reachability ?? {}).length === 0 ? [] : same('tsb.setup.organizationSetting', object('OrganizationSetting', 'tsb-organization')?.name, setup?.organizationSetting ?? organization, oneOrganization)),
  ];
}

/** Another workspace may have another one, and where somebody else's is there, TSB did not take this one. */
function otherSetting(own: RunningObject | undefined, workspace: string, { path, wanted = { name: workspace, existing: false } }: { path: string; wanted: Configuration['tsb']['tenant'] | undefined }): Refusal[] {
  if (own?.annotations['tsb.tetrate.io/workspace'] !== workspace || (wanted.existing && wanted.name !== own.name)) return [];
  return stays({ path, ...wanted }, own.name, own, oneEach);
}

/** What the annotations of a gateway's routes and of its filter say is above them, whoever made that. */
function aboveGateway({ object }: Running, name: string): (parent: string) => string | undefined {
  const annotations = { ...object('EnvoyFilter', `${name}-filter`)?.annotations, ...object('Routes', `${name}-routes`)?.annotations };
  return (parent) => textOf(annotations[`tsb.tetrate.io/${parent}`]);
}

interface Wanted {
  readonly path: string;
  readonly name: string;
  readonly existing: boolean;
}

function wantedGroup(own: Omit<Wanted, 'existing'>, given: { path: string; name: string | undefined }): Wanted {
  return given.name === undefined ? { ...own, existing: false } : { path: given.path, name: given.name, existing: true };
}

/** @param own what this stack made of that kind: as one that exists it would be no longer the stack's, and deleted */
function stays({ path, name, existing }: Wanted, running: string | undefined, own: RunningObject | undefined, instead = moved): Refusal[] {
  if (running !== undefined && existing && own?.name === name) return [{ path, running: 'one that this stack made', wanted: 'one that exists', instead }];
  return same(path, running, name, instead);
}
