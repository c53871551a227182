import { z } from 'zod';

import { dnsLabel, ownOrExisting, place, text } from './values.ts';

const workspaces = z.strictObject({
  bridges: ownOrExisting.prefault('bridges').describe('Workspace of the regions: a name, or `existing:` and the name of one that exists.'),
  edge: ownOrExisting.prefault('edge').describe('Workspace of tier1: a name, or `existing:` and the name of one that exists.'),
});

const settings = z.strictObject({
  bridges: ownOrExisting.optional().describe('Settings of the regions’ workspace: a name, or `existing:` and the name of settings that exist. Absent: named like the workspace, if the program makes that; in a workspace that exists it has to be said.'),
  edge: ownOrExisting.optional().describe('Settings of tier1’s workspace, likewise.'),
});

const groups = z.strictObject({
  bridges: dnsLabel.optional().describe('Name of one gateway group for all regions, whose gateways then need names of their own; absent: a group for each region, bridges-<region>.'),
  edge: dnsLabel.default('edge').describe('Name of tier1’s groups.'),
  existing: z
    .strictObject({
      edge: dnsLabel.optional().describe('Gateway group of tier1.'),
      regions: z.record(dnsLabel, dnsLabel).default({}).describe('Gateway group of each region, by the region’s name.'),
      internal: z
        .strictObject({
          edge: dnsLabel.optional().describe('Istio internal group of tier1.'),
          regions: z.record(dnsLabel, dnsLabel).default({}).describe('Istio internal group of each region, by the region’s name. It owns the region’s namespace alone.'),
        })
        .prefault({})
        .describe('The groups of EnvoyFilters that exist.'),
    })
    .prefault({})
    .describe('Groups that exist; the program makes all others.'),
});

const setup = z.strictObject({
  networks: z.record(dnsLabel, text).default({}).describe('Network of each cluster, by what TSB calls the cluster.'),
  reachability: z.record(text, z.array(text)).default({}).describe('Networks that each network reaches, one way.'),
  organizationSetting: dnsLabel.optional().describe('Name of the organization’s setting, of which TSB has one. Where it is there already: the name that it has, and what it said is replaced; by another name it would be a second one. Absent: the organization’s name.'),
});

export const tsb = z.strictObject({
  ...place,
  namespace: dnsLabel.default('tsb-conf').describe('Namespace of TSB’s hierarchy. The program makes it, except with `namespaces: given`: then it exists.'),
  organization: dnsLabel.describe('TSB’s organization.'),
  tenant: ownOrExisting.describe('Tenant: a name, or `existing:` and the name of one that exists.'),
  workspaces: workspaces.prefault({}).describe('Workspaces.'),
  settings: settings.prefault({}).describe('Settings of the workspaces. Those that exist have to let regions reach each other’s bridges.'),
  groups: groups.prefault({}).describe('Groups.'),
  api: z.enum(['gateway', 'tier1gateway']).default('gateway').describe('gateway: TSB’s unified kinds; tier1gateway: the deprecated IngressGateway and Tier1Gateway.'),
  acceptedWhen: z
    .string()
    .regex(/^(jsonpath=\{(\.([-\w/]|\\\.)+|\.?\[[^[\]{}]+\])+\}(=.+)?|condition=[-\w./]+(=\w+)?)$/, 'condition=Name or jsonpath={.path}=value')
    .optional()
    .describe('How TSB says in an object’s status that it took it. Absent: nothing is awaited, as with GitOps push mode SYNC, which refuses a wrong object when it is applied.'),
  envoyFilters: z
    .enum(['internal-group', 'none'])
    .default('internal-group')
    .describe('Whether EnvoyFilters may be written, in an Istio internal group. none: gateways check no health, and ejections last longer.'),
  setup: setup.optional().describe('Networks of the clusters and what they reach; absent: both are there already. The specs of TSB’s Cluster and OrganizationSetting are replaced as a whole, and the objects stay when an entry goes and after destroy, with their namespace, as long as there is a `setup`, if an empty one.'),
});
