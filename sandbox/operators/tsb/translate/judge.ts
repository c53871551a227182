import { organizationOf, owns, selected } from '../hierarchy.ts';
import type { Hierarchy, Placed } from '../hierarchy.ts';
import { eastWestPort } from '../model.ts';
import type { ClusterFacts, GatewaySpec, Rule, Server, SettingSpec, TrafficSettings, TsbObject } from '../model.ts';
import { settingsProblem } from '../resilience.ts';
import { isTier1 } from './gateways.ts';
import { chosenClusters } from './tier1.ts';
import { gatewaySpec } from './unify.ts';

/** Refuses, each with its reason, the placed objects whose content TSB would refuse; the rest keep their order. */
export function judge({ placed }: Hierarchy, clusters: readonly ClusterFacts[]): Hierarchy {
  const refused = new Map<TsbObject, string>();
  const accepted: Placed[] = [];
  for (const place of placed) {
    const reason = problem(place, clusters, accepted);
    if (reason === undefined) accepted.push(place);
    else refused.set(place.object, reason);
  }
  return { placed: accepted, refused };
}

function problem(place: Placed, clusters: readonly ClusterFacts[], accepted: readonly Placed[]): string | undefined {
  const { kind, apiVersion, spec } = place.object;
  if (apiVersion.startsWith('networking.istio.io/')) return directProblem(place);
  if (kind === 'WorkspaceSetting') return workspaceSettingProblem(place, clusters, accepted);
  if (kind === 'OrganizationSetting') return organizationSettingProblem(place.object, accepted);
  if (kind === 'TenantSetting') return settingsProblem((spec as SettingSpec).defaultTrafficSetting);
  if (kind === 'TrafficSetting') return settingsProblem(spec as TrafficSettings);
  const gateway = gatewaySpec(place.object);
  return gateway && gatewayProblem(place, gateway, clusters, accepted);
}

function directProblem({ object }: Placed): string | undefined {
  return object.kind === 'EnvoyFilter' ? undefined : `of Istio's kinds this stand-in copies EnvoyFilter only, not ${object.kind}`;
}

function organizationSettingProblem(object: TsbObject, accepted: readonly Placed[]): string | undefined {
  const other = accepted.find((place) => place.object.kind === 'OrganizationSetting' && organizationOf(place.object) === organizationOf(object));
  if (other) return `organization "${organizationOf(object)}" already has the setting "${other.object.metadata.name}"`;
  return settingsProblem((object.spec as SettingSpec).defaultTrafficSetting);
}

function workspaceSettingProblem({ object, workspace }: Placed, clusters: readonly ClusterFacts[], accepted: readonly Placed[]): string | undefined {
  const spec = object.spec as SettingSpec;
  const other = accepted.find((place) => place.object.kind === 'WorkspaceSetting' && place.workspace === workspace);
  if (other) return `workspace "${workspace?.metadata.name}" already has the setting "${other.object.metadata.name}"`;
  const foreign = (spec.defaultEastWestGatewaySettings ?? []).find(({ workloadSelector: { namespace } }) => !clusters.some((cluster) => owns({ workspace }, cluster.name, namespace)));
  if (foreign) return `defaultEastWestGatewaySettings: namespace "${foreign.workloadSelector.namespace}" is not in workspace "${workspace?.metadata.name}", which has ${selected(workspace)}`;
  return settingsProblem(spec.defaultTrafficSetting);
}

function gatewayProblem(place: Placed, spec: GatewaySpec, clusters: readonly ClusterFacts[], accepted: readonly Placed[]): string | undefined {
  const { namespace, labels } = spec.workloadSelector;
  const owning = clusters.filter((cluster) => owns(place, cluster.name, namespace));
  if (place.group?.spec.configMode === 'DIRECT') return `group "${place.group.metadata.name}" is in DIRECT mode: it takes Istio objects only`;
  if (owning.length === 0) return `workloadSelector.namespace "${namespace}" is not in group "${place.group?.metadata.name}", which has ${selected(place.group)} (onboarded clusters: ${names(clusters)})`;
  if (Object.keys(labels).length === 0) return 'workloadSelector.labels is empty: it must select the gateway\'s pods';
  const same = accepted.find((other) => {
    const others = gatewaySpec(other.object)?.workloadSelector;
    return others?.namespace === namespace && sameLabels(others.labels, labels) && owning.some((cluster) => owns(other, cluster.name, namespace));
  });
  if (same) return `${same.object.kind} "${same.object.metadata.name}" already configures the workloads ${text(labels)} of namespace ${namespace}: one gateway object per selector`;
  const servers = spec.http ?? [];
  if (servers.length === 0) return 'no http server: this stand-in honours http servers only';
  if (new Set(servers.map(isTier1)).size > 1) return 'servers of one gateway must all choose clusters (clusterDestination) or all services (serviceDestination)';
  for (const [index, server] of servers.entries()) {
    const reason = serverProblem(place, server, { clusters, owning, earlier: servers.slice(0, index) });
    if (reason !== undefined) return `http server "${server.name}": ${reason}`;
  }
  return undefined;
}

function serverProblem(place: Placed, server: Server, { clusters, owning, earlier }: { clusters: readonly ClusterFacts[]; owning: readonly ClusterFacts[]; earlier: readonly Server[] }): string | undefined {
  if (earlier.some(({ name }) => name === server.name)) return 'the name is not unique';
  if (earlier.some(({ hostname, port }) => hostname === server.hostname && port === server.port)) return `hostname "${server.hostname}" is already another server's`;
  if (server.port === eastWestPort) return `port ${eastWestPort} is kept for traffic between clusters`;
  const tls = tlsProblem(server.tls);
  if (tls !== undefined) return tls;
  if (server.routing.rules.length === 0) return 'routing.rules is empty';
  for (const [index, rule] of server.routing.rules.entries()) {
    const reason = ruleProblem(place, rule, clusters, owning);
    if (reason !== undefined) return `rule ${index}: ${reason}`;
  }
  return undefined;
}

function tlsProblem(tls: Server['tls']): string | undefined {
  if (tls === undefined || tls.mode === 'DISABLED') return undefined;
  if (tls.mode !== 'SIMPLE') return `tls.mode ${tls.mode ?? 'unset'} is not honoured by this stand-in, which asks clients for no certificate; use SIMPLE or DISABLED`;
  if (tls.secretName === undefined || tls.secretName === '') return 'tls.secretName is missing: this stand-in takes certificates from Secrets only';
  return tls.secretName.includes('/') ? `tls.secretName "${tls.secretName}": this stand-in takes Secrets of the gateway's own namespace only` : undefined;
}

function ruleProblem(place: Placed, { route, redirect, directResponse }: Rule, clusters: readonly ClusterFacts[], owning: readonly ClusterFacts[]): string | undefined {
  if ([route, redirect, directResponse].filter((answer) => answer !== undefined).length !== 1) return 'needs exactly one of route, redirect, directResponse';
  if (route === undefined) return undefined;
  const { serviceDestination, clusterDestination } = route;
  if ((serviceDestination === undefined) === (clusterDestination === undefined)) return 'route needs exactly one of serviceDestination, clusterDestination';
  if (serviceDestination) return serviceProblem(place, serviceDestination.host, owning);
  const choices = clusterDestination?.clusters ?? [];
  const weights = choices.filter(({ weight }) => weight !== undefined).length;
  if (weights > 0 && weights < choices.length) return 'clusters: give all of them a weight, or none';
  const unknown = choices.find((choice) => choice.name !== undefined && chosenClusters({ name: choice.name }, clusters).length === 0);
  return unknown && `no onboarded cluster is named "${unknown.name}"; onboarded: ${names(clusters)}`;
}

function serviceProblem({ workspace }: Placed, host: string, owning: readonly ClusterFacts[]): string | undefined {
  const [, namespace] = /^([^/]+)\/[^/]+$/.exec(host) ?? [];
  if (namespace === undefined) return `serviceDestination.host "${host}" is not of the form <namespace>/<fully qualified name>`;
  if (workspace?.spec.privileged === true || owning.some((cluster) => owns({ workspace }, cluster.name, namespace))) return undefined;
  return `namespace "${namespace}" of serviceDestination is not in workspace "${workspace?.metadata.name}", which is not privileged`;
}

function names(clusters: readonly ClusterFacts[]): string {
  return clusters.map(({ name }) => name).join(', ') || 'none';
}

function sameLabels(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  return text(one) === text(other);
}

function text(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => `${name}=${value}`).join(',');
}
