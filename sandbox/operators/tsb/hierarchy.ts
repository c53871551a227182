import type { Parent } from './kinds.ts';
import type { GroupSpec, NamespaceSelector, TsbObject, WorkspaceSpec } from './model.ts';

/** An object whose parents were found. */
export interface Placed {
  readonly object: TsbObject;
  readonly workspace?: TsbObject<WorkspaceSpec>;
  readonly group?: TsbObject<GroupSpec>;
}

export interface Hierarchy {
  readonly placed: readonly Placed[];
  /** Objects that have no place, each with the reason. */
  readonly refused: ReadonlyMap<TsbObject, string>;
}

/** Parents per kind name, also of Istio objects that people write in DIRECT mode. */
export type ParentsOf = (object: TsbObject) => readonly Parent[];

/**
 * Finds every object's parents by its annotations, parents first: an object is refused when a parent is missing or refused itself,
 * when its group's namespaces are not its workspace's or already another group's, or when another cluster pushed the same object.
 */
export function buildHierarchy(objects: readonly TsbObject[], parentsOf: ParentsOf): Hierarchy {
  const clusters = objects.filter((object) => object.kind === 'Cluster');
  const onboarding = clusters.filter(isOnboarding);
  const organizations = new Set((onboarding.length > 0 ? onboarding : clusters).map(organizationOf));
  const found = new Map<string, TsbObject>();
  const refused = new Map<TsbObject, string>();
  const placed: Placed[] = [];
  const inForce = objects.filter((object) => !onboarding.includes(object) || !clusters.some((other) => other !== object && !isOnboarding(other) && sameCluster(other, object)));
  for (const object of [...inForce].sort(parentsThenOldestFirst)) {
    const parents = parentsOf(object);
    const place = { object, ...parentsIn(found, object) };
    const reason = missingParent(object, parents, { organizations, found })
      ?? duplicate(object, found, parents)
      ?? (object.kind === 'Group' ? groupProblem(place, placed) : undefined);
    if (reason !== undefined) {
      refused.set(object, reason);
    } else {
      found.set(identity(object, parents), object);
      placed.push(place);
    }
  }
  return { placed, refused };
}

/** Marks the object of a cluster that onboarding left: a person's object of the same cluster takes its place. */
export const onboardingLabel = { 'tsb-operator/onboarding': 'true' } as const;

export function isOnboarding({ metadata }: TsbObject): boolean {
  return Object.entries(onboardingLabel).every(([name, value]) => metadata.labels?.[name] === value);
}

/** Whether two objects are about one cluster. */
export function sameCluster(one: TsbObject, other: TsbObject): boolean {
  return one.metadata.name === other.metadata.name && organizationOf(one) === organizationOf(other);
}

/** The organization that an object is in; empty where it does not say. */
export function organizationOf(object: TsbObject): string {
  return annotation(object, 'organization');
}

/** Whether the group (and its workspace) owns a namespace of a TSB cluster. */
export function owns({ workspace, group }: Pick<Placed, 'workspace' | 'group'>, cluster: string, namespace: string): boolean {
  return selects(workspace?.spec, cluster, namespace) && (group === undefined || group.spec.namespaceSelector === undefined || selects(group.spec, cluster, namespace));
}

/** The selector's names as text for messages. */
export function selected(object: TsbObject<NamespaceSelector> | undefined): string {
  return object?.spec.namespaceSelector?.names?.join(', ') ?? 'nothing';
}

function selects(spec: NamespaceSelector | undefined, cluster: string, namespace: string): boolean {
  return (spec?.namespaceSelector?.names ?? []).some((name) => overlap(name, `${cluster}/${namespace}`));
}

/** Whether two `<cluster>/<namespace>` patterns can mean the same namespace; `*` stands alone or ends a part. */
function overlap(one: string, other: string): boolean {
  const [oneCluster = '', oneNamespace = ''] = one.split('/');
  const [otherCluster = '', otherNamespace = ''] = other.split('/');
  return partsOverlap(oneCluster, otherCluster) && partsOverlap(oneNamespace, otherNamespace);
}

function partsOverlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((part) => (part.endsWith('*') ? part.slice(0, -1) : undefined));
  if (a !== undefined && b !== undefined) return a.startsWith(b) || b.startsWith(a);
  if (a !== undefined) return other.startsWith(a);
  return b === undefined ? one === other : one.startsWith(b);
}

function parentsThenOldestFirst(one: TsbObject, other: TsbObject): number {
  const rank = ({ kind }: TsbObject): number => ({ Cluster: 0, Tenant: 1, Workspace: 2, Group: 3 })[kind] ?? 4;
  const age = ({ metadata }: TsbObject): string => String(metadata.creationTimestamp ?? '');
  const place = (object: TsbObject): string => `${object.cluster}/${object.metadata.namespace}/${object.kind}/${object.metadata.name}`;
  return rank(one) - rank(other) || age(one).localeCompare(age(other)) || place(one).localeCompare(place(other));
}

function missingParent(object: TsbObject, parents: readonly Parent[], known: { organizations: ReadonlySet<string>; found: ReadonlyMap<string, TsbObject> }): string | undefined {
  for (const parent of parents) {
    const name = annotation(object, parent);
    if (name === '') return `annotation tsb.tetrate.io/${parent} is missing: it names the ${parent} that this ${object.kind} belongs to`;
    if (parent === 'organization') {
      if (!known.organizations.has(name)) return `organization "${name}" is not known; known: ${[...known.organizations].join(', ') || 'none'}`;
    } else if (!known.found.has(reference(object, parent))) {
      return `${parent} "${name}" does not exist (or was refused) under ${reference(object, parent).split('/').slice(0, -2).join('/')}; apply it first`;
    }
  }
  return undefined;
}

function duplicate(object: TsbObject, found: ReadonlyMap<string, TsbObject>, parents: readonly Parent[]): string | undefined {
  const other = parents.length === 0 ? undefined : found.get(identity(object, parents));
  return other && `the same ${object.kind} was already applied in cluster ${other.cluster}, namespace ${other.metadata.namespace}: one object may come from one place only`;
}

function groupProblem({ object, workspace }: Placed, placed: readonly Placed[]): string | undefined {
  const names = (object.spec as GroupSpec).namespaceSelector?.names ?? [];
  const owned = workspace?.spec.namespaceSelector?.names ?? [];
  const foreign = names.find((name) => !owned.some((other) => overlap(name, other)));
  if (foreign !== undefined) return `namespace "${foreign}" is not in workspace "${workspace?.metadata.name}", which has ${owned.join(', ')}`;
  const siblings = placed.filter((other) => other.workspace === workspace && other.object.kind === 'Group' && other.object.apiVersion === object.apiVersion);
  for (const { object: sibling } of siblings) {
    const shared = names.find((name) => ((sibling.spec as GroupSpec).namespaceSelector?.names ?? []).some((other) => overlap(name, other)));
    if (shared !== undefined) return `namespace "${shared}" already belongs to group "${sibling.metadata.name}": groups of one kind must not share namespaces`;
  }
  return undefined;
}

function parentsIn(found: ReadonlyMap<string, TsbObject>, object: TsbObject): Pick<Placed, 'workspace' | 'group'> {
  const workspace = annotation(object, 'workspace') === '' ? undefined : found.get(reference(object, 'workspace'));
  const kind = groupKinds.find((parent) => annotation(object, parent) !== '');
  const group = kind && found.get(reference(object, kind));
  return { ...(workspace ? { workspace: workspace as TsbObject<WorkspaceSpec> } : {}), ...(group ? { group: group as TsbObject<GroupSpec> } : {}) };
}

const groupKinds = ['gatewayGroup', 'trafficGroup', 'securityGroup', 'istioInternalGroup'] as const;
const groupOf: Readonly<Record<string, Parent>> = {
  'gateway.tsb.tetrate.io/v2': 'gatewayGroup', 'traffic.tsb.tetrate.io/v2': 'trafficGroup',
  'security.tsb.tetrate.io/v2': 'securityGroup', 'istiointernal.tsb.tetrate.io/v2': 'istioInternalGroup',
};

/** The path of the parent that an object's annotations name. */
function reference(object: TsbObject, parent: Parent): string {
  const above: readonly Parent[] = parent === 'tenant' ? [] : parent === 'workspace' ? ['tenant'] : ['tenant', 'workspace'];
  return [annotation(object, 'organization'), ...[...above, parent].flatMap((level) => [level, annotation(object, level)])].join('/');
}

/** The path of an object itself; for kinds that are parents, the one that reference() gives for their children. */
function identity(object: TsbObject, parents: readonly Parent[]): string {
  const level = object.kind === 'Tenant' ? 'tenant' : object.kind === 'Workspace' ? 'workspace' : object.kind === 'Group' ? groupOf[object.apiVersion] : `${object.apiVersion} ${object.kind}`;
  const above = parents.filter((parent) => parent !== 'organization').flatMap((parent) => [parent, annotation(object, parent)]);
  return [annotation(object, 'organization'), ...above, level, object.metadata.name].join('/');
}

function annotation({ metadata }: TsbObject, name: string): string {
  return metadata.annotations?.[`tsb.tetrate.io/${name}`] ?? '';
}
