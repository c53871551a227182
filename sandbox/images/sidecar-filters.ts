import type { V1Pod } from '@kubernetes/client-node';

/** As far as a sidecar reads one. */
export interface EnvoyFilter {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>>; readonly creationTimestamp?: string };
  readonly spec?: {
    readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
    readonly configPatches?: readonly ConfigPatch[];
  };
}

interface ConfigPatch {
  readonly applyTo?: string;
  readonly match?: {
    readonly context?: string;
    readonly cluster?: Readonly<Record<string, unknown>>;
    readonly listener?: Readonly<Record<string, unknown>> & { readonly filterChain?: FilterChainMatch };
  };
  readonly patch?: { readonly operation?: string; readonly value?: object };
}

interface FilterChainMatch extends Readonly<Record<string, unknown>> {
  readonly filter?: Readonly<Record<string, unknown>>;
}

/** What of a sidecar a filter may change, for each of the pod's ports: where requests go on to, and the network filter that takes them. */
type Part = 'CLUSTER' | 'NETWORK_FILTER';

/** Name of that network filter. */
export const connectionManager = 'envoy.filters.network.http_connection_manager';

/** Its filters concern every namespace. */
const rootNamespace = 'istio-system';

interface Target {
  readonly pod: V1Pod;
  readonly port: number;
  readonly filters: Iterable<EnvoyFilter>;
}

/** Merges into a cluster of a pod's sidecar what EnvoyFilters say of it. */
export function patchedCluster(cluster: object, target: Target): object {
  return valuesFor('CLUSTER', target).reduce<object>((whole, value) => merged(whole, value) as object, cluster);
}

/** Merges into the connection manager of a port what EnvoyFilters say of it: as istiod does, into its typed configuration too, which is an Any. */
export function patchedConnectionManager<Filter extends { readonly typed_config: object }>(filter: Filter, target: Target): Filter {
  const typed = valuesFor('NETWORK_FILTER', target).map((value: { typed_config?: object }) => value.typed_config ?? {});
  return { ...filter, typed_config: typed.reduce<object>(mergedFields, filter.typed_config) };
}

/** In istiod's order: those of the root namespace first, then the older first. */
function valuesFor(part: Part, { pod, port, filters }: Target): object[] {
  return [...filters]
    .filter((filter) => isRead(filter) && concerns(filter, pod))
    .toSorted((a, b) => rank(a).localeCompare(rank(b)))
    .flatMap(({ spec }) => spec?.configPatches ?? [])
    .filter((patch) => patch.applyTo === part && isHonoured(patch) && (portOf(patch) ?? port) === port)
    .map(({ patch }) => patch?.value ?? {});
}

/** What a filter says of sidecars that these sidecars do not do, as paths of its fields. */
export function unhonoured(filter: EnvoyFilter): string[] {
  if (!isRead(filter)) return [];
  return (filter.spec?.configPatches ?? []).flatMap((patch, index) => (isOfSidecars(patch) && !isHonoured(patch) ? [`spec.configPatches[${index}]`] : []));
}

/** Filters of another revision, such as those that only TSB is to read, are none of this mesh's. */
function isRead({ metadata: { labels = {} } }: EnvoyFilter): boolean {
  return ['default', undefined].includes(labels['istio.io/rev']);
}

function concerns({ metadata: { namespace }, spec }: EnvoyFilter, pod: V1Pod): boolean {
  const labels = pod.metadata?.labels ?? {};
  return (namespace === pod.metadata?.namespace || namespace === rootNamespace) && Object.entries(spec?.workloadSelector?.labels ?? {}).every(([key, value]) => labels[key] === value);
}

function rank({ metadata: { namespace, creationTimestamp = '', name } }: EnvoyFilter): string {
  return `${namespace === rootNamespace ? 0 : 1} ${creationTimestamp} ${name}`;
}

function isOfSidecars({ match }: ConfigPatch): boolean {
  return match?.context?.startsWith('SIDECAR') === true;
}

function portOf({ match }: ConfigPatch): unknown {
  return match?.cluster?.['portNumber'] ?? match?.listener?.filterChain?.['destinationPort'];
}

/** Only a merge into the clusters or the connection managers of the pod's own ports, all or one of them. */
function isHonoured({ applyTo, match, patch }: ConfigPatch): boolean {
  if (match?.context !== 'SIDECAR_INBOUND' || patch?.operation !== 'MERGE') return false;
  if (applyTo === 'CLUSTER') return match.listener === undefined && only(match.cluster, 'portNumber');
  const { filterChain } = match.listener ?? {};
  return applyTo === 'NETWORK_FILTER' && match.cluster === undefined && only(match.listener, 'filterChain') && only(filterChain, 'destinationPort', 'filter')
    && only(filterChain?.filter, 'name') && filterChain?.filter?.['name'] === connectionManager && only(patch.value, 'typed_config');
}

function only(fields: object | undefined, ...known: readonly string[]): boolean {
  return Object.keys(fields ?? {}).every((field) => known.includes(field));
}

/** As protobuf merges: messages by their fields, lists one after the other, the rest, a typed value (an Any) among it, replaced. */
function merged(base: unknown, patch: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) return [...base as unknown[], ...patch as unknown[]];
  return isMessage(base) && isMessage(patch) && !('@type' in patch) ? mergedFields(base, patch) : patch;
}

function mergedFields(base: object, patch: object): object {
  const fields = Object.entries(patch).map(([key, value]) => [key, merged((base as Record<string, unknown>)[key], value)]);
  return { ...base, ...Object.fromEntries(fields) as object };
}

function isMessage(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
