import { at, list, number, text } from './raw.ts';
import type { RawObject } from './raw.ts';

export type PodLabels = Readonly<Record<string, string>>;

/** In the order in which Istio applies them: by priority, those of the root namespace before others, the older first. */
export function inOrder(ofRoot: readonly RawObject[], others: readonly RawObject[]): RawObject[] {
  const ranked = [...ofRoot.map((filter) => ({ filter, rank: 0 })), ...others.map((filter) => ({ filter, rank: 1 }))];
  return ranked.toSorted((a, b) => priority(a.filter) - priority(b.filter) || a.rank - b.rank || age(a.filter).localeCompare(age(b.filter))).map(({ filter }) => filter);
}

function priority({ spec }: RawObject): number {
  return number(at(spec, 'priority')) ?? 0;
}

function age({ metadata: { creationTimestamp = '', name = '' } = {} }: RawObject): string {
  return `${creationTimestamp} ${name}`;
}

/** Whether pods have all of these labels; of pods whose labels nobody could tell, nothing is taken for another workload's. */
export function hasLabels(labels: PodLabels | undefined, wanted: unknown): boolean {
  return labels === undefined || Object.entries(wanted ?? {}).every(([name, value]) => labels[name] === value);
}

/** A host by the clusters of Envoy that routes lead to: one for each of its ports and subsets. */
export interface HostClusters {
  /** Fully qualified. */
  host: string;
  /** Of each destination; undefined where a route names none, as of a host that has one only. */
  ports: readonly (number | undefined)[];
  /** Of each destination; empty where a route names none. */
  subsets: readonly string[];
}

/**
 * What EnvoyFilters say of a host's clusters at a gateway, or of every cluster's. Istio applies a filter with a selector to the pods that have all of its labels, and a name
 * instead of whatever else a match says.
 * @param labels of the gateway's pods; undefined: nobody could tell, and no filter is taken for another workload's
 */
export function patchesOfHost(envoyFilters: readonly RawObject[], clusters: HostClusters, labels: PodLabels | undefined): unknown[] {
  return patchesFor(envoyFilters, labels)
    .filter((patch) => at(patch, 'applyTo') === 'CLUSTER' && ['GATEWAY', 'ANY', undefined].includes(text(at(patch, 'match', 'context'))) && isOf(clusters, at(patch, 'match', 'cluster')))
    .map(value);
}

/** What they say of the way between a sidecar and its own host: these stand between the hosts of the same namespace and their proxy. */
export function patchesOfSidecars(envoyFilters: readonly RawObject[], labels: PodLabels | undefined): unknown[] {
  return patchesFor(envoyFilters, labels).filter((patch) => at(patch, 'match', 'context') === 'SIDECAR_INBOUND').map(value);
}

function patchesFor(envoyFilters: readonly RawObject[], labels: PodLabels | undefined): unknown[] {
  return envoyFilters
    .filter(({ spec }) => hasLabels(labels, at(spec, 'workloadSelector', 'labels')))
    .flatMap(({ spec }) => list(at(spec, 'configPatches')));
}

/** Istio's own order: a name alone decides; of the others each that is said has to be right. */
function isOf({ host, ports, subsets }: HostClusters, match: unknown): boolean {
  const name = text(at(match, 'name')) ?? '';
  const isOneOf = <T>(known: readonly (T | undefined)[], wanted: T): boolean => known.length === 0 || known.includes(undefined) || known.includes(wanted);
  if (name !== '') {
    const [, port, subset = '', service] = /^outbound\|(\d+)\|([^|]*)\|(.+)$/.exec(name) ?? [];
    return service === host && isOneOf(ports, Number(port)) && isOneOf(subsets, subset);
  }
  const [service = '', port = 0, subset = ''] = [text(at(match, 'service')), number(at(match, 'portNumber')), text(at(match, 'subset'))];
  return (service === '' || service === host) && (port === 0 || isOneOf(ports, port)) && (subset === '' || isOneOf(subsets, subset));
}

function value(patch: unknown): unknown {
  return at(patch, 'patch', 'value');
}
