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
  readonly match?: { readonly context?: string; readonly cluster?: Readonly<Record<string, unknown>> };
  readonly patch?: { readonly operation?: string; readonly value?: object };
}

/** Its filters concern every namespace. */
const rootNamespace = 'istio-system';

/** Merges into a cluster of a pod's sidecar what EnvoyFilters say of it, in istiod's order: those of the root namespace first, then the older first. */
export function patched(cluster: object, { pod, port, filters }: { pod: V1Pod; port: number; filters: Iterable<EnvoyFilter> }): object {
  return [...filters]
    .filter((filter) => isRead(filter) && concerns(filter, pod))
    .toSorted((a, b) => rank(a).localeCompare(rank(b)))
    .flatMap(({ spec }) => spec?.configPatches ?? [])
    .filter((patch) => isHonoured(patch) && (patch.match?.cluster?.['portNumber'] ?? port) === port)
    .reduce<object>((whole, { patch }) => merged(whole, patch?.value ?? {}) as object, cluster);
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

/** Only a merge into the clusters of the pod's own ports, all or one of them. */
function isHonoured({ applyTo, match, patch }: ConfigPatch): boolean {
  const known = Object.keys(match?.cluster ?? {}).every((field) => field === 'portNumber');
  return applyTo === 'CLUSTER' && match?.context === 'SIDECAR_INBOUND' && known && patch?.operation === 'MERGE';
}

/** As protobuf merges: messages by their fields, lists one after the other, the rest, a typed value (an Any) among it, replaced. */
function merged(base: unknown, patch: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) return [...base as unknown[], ...patch as unknown[]];
  if (!isMessage(base) || !isMessage(patch) || '@type' in patch) return patch;
  return Object.fromEntries([...new Set([...Object.keys(base), ...Object.keys(patch)])].map((key) => [key, key in patch ? merged(base[key], patch[key]) : base[key]]));
}

function isMessage(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
