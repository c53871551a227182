import { UserError } from '../../../errors.ts';
import { fieldManager, requestTimeoutMs, statusOf } from '../cluster.ts';
import type { Cluster, Right } from '../cluster.ts';
import { takeHoldTimeoutMs } from '../fault-times.ts';
import { poll } from '../until.ts';
import { mustBeOfThisRun, refusalOf, refuse, runLabel } from './target.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

/**
 * Chaos Mesh, where a cluster has it: the drill makes an object, Chaos Mesh's controller has its daemon on the pods' nodes carry it out, and recovers when the object is deleted
 * (its finalizer chaos-mesh/records keeps the object until then). This is its API chaos-mesh.org/v1alpha1 as it is since its version 2.0: a `partition` without a target drops every packet.
 */
const api = { group: 'chaos-mesh.org', version: 'v1alpha1' };
const plurals = { PodChaos: 'podchaos', NetworkChaos: 'networkchaos' } as const;

/** An object of Chaos Mesh, by name: what it takes to find and undo it. */
export interface Chaos {
  kind: keyof typeof plurals;
  context: string;
  namespace: string;
  name: string;
}

export interface PlannedChaos extends Chaos {
  spec: object;
}

/** What the drill reads of one. */
interface ChaosObject {
  metadata: { name?: string; labels?: Record<string, string>; deletionTimestamp?: string };
  status?: {
    conditions?: { type: string; status: string }[];
    experiment?: { containerRecords?: { id: string; phase: string; events?: { type: string; message?: string }[] }[] };
  };
}

/**
 * Why Chaos Mesh cannot do it, as the end of a sentence; undefined where it can. The API server is asked to make the objects without keeping them, so that Chaos Mesh's own
 * admission, which looks at schema and rights, has its say before anything is touched; and whether it has one is seen by an object that it alone refuses.
 */
export async function whyNotByChaos(target: Target, objects: readonly PlannedChaos[]): Promise<string | undefined> {
  for (const object of objects) {
    const { kind, context, namespace, name } = object;
    const cluster = target.cluster(context);
    if (!await isInstalled(cluster, kind)) return `Chaos Mesh is not installed in cluster ${context} (no ${kind} of ${api.group}/${api.version})`;
    const denied = await refusalOf(cluster.mustAllow(['create', 'get', 'list', 'delete'].map((verb) => rightTo(verb, object))));
    if (denied !== undefined) return `for Chaos Mesh ${denied.message}`;
    try {
      await cluster.ask(`${kind} ${namespace}/${name} is refused`, () => create(target, object, { dryRun: 'All' }));
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      return `Chaos Mesh does not take it: ${(error as UserError).message}`;
    }
    if (!await isAdmitting(target, object)) return `Chaos Mesh is not running in cluster ${context} (its admission takes anything)`;
  }
  return undefined;
}

/**
 * Whether an object that Chaos Mesh takes is refused with a duration that is none. To the schema it is any string, and Chaos Mesh's webhook alone reads it: Helm, which removes Chaos
 * Mesh with its webhooks, leaves the kinds there, and their objects would be made and looked after by nobody.
 */
async function isAdmitting(target: Target, object: PlannedChaos): Promise<boolean> {
  try {
    await target.cluster(object.context).ask('a duration that is none is refused', () => create(target, { ...object, spec: { ...object.spec, duration: 'none' } }, { dryRun: 'All' }));
    return false;
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    // What an API server says where a webhook refuses; not where its own schema does, or a webhook does not answer.
    return (error as UserError).message.includes('admission webhook');
  }
}

/** Refuses, with both reasons, where Chaos Mesh cannot do what is refused otherwise. */
export async function mustDoByChaos(target: Target, refused: UserError, objects: readonly PlannedChaos[]): Promise<void> {
  const why = await whyNotByChaos(target, objects);
  if (why !== undefined) refuse(`${refused.message}, and ${why}`, refused.remedy);
}

/** Refuses where a NetworkChaos is there that a drill left which nobody here can heal: its journal is elsewhere. What one may not list is not known. */
export async function mustLeaveNoChaos(target: Target, { context, namespace }: { context: string; namespace: string }): Promise<void> {
  const cluster = target.cluster(context);
  const kind = 'NetworkChaos';
  if (!await isInstalled(cluster, kind) || !await cluster.allows([rightTo('list', { kind, namespace })])) return;
  const { items } = await cluster.ask(`the ${kind} of namespace ${namespace} cannot be listed`, () =>
    cluster.custom.listNamespacedCustomObject({ ...api, namespace, plural: plurals[kind], labelSelector: `app.kubernetes.io/managed-by=${fieldManager}` })) as { items: ChaosObject[] };
  mustBeOfThisRun(target, items, { kind, resource: plurals[kind], context, namespace, harm: 'it may still hurt pods' });
}

export async function makeChaos(target: Target, objects: readonly PlannedChaos[]): Promise<void> {
  await together(objects, async (object) => {
    const { kind, context, namespace, name } = object;
    await target.cluster(context).ask(`${kind} ${namespace}/${name} cannot be made`, () => create(target, object));
  });
}

/** Whether Chaos Mesh says that it is done, to each of these pods as well: it takes those that are there when it begins, and none that come later. */
export async function isInjected(target: Target, object: Chaos, pods: readonly string[] = []): Promise<boolean> {
  return await missingOf(target, object, pods) === undefined;
}

/** Throws a UserError with what Chaos Mesh says where it is not done: where that stays so, it is why the drill has no result. */
export async function mustBeInjected(target: Target, object: Chaos, pods: readonly string[] = []): Promise<true> {
  const missing = await missingOf(target, object, pods);
  if (missing !== undefined) throw new UserError(`Chaos Mesh did not carry out ${titleOf(object)}: ${missing}`, { remedy: 'see what its controller and its daemon on the pods\' nodes say' });
  return true;
}

async function missingOf(target: Target, object: Chaos, pods: readonly string[]): Promise<string | undefined> {
  const { namespace } = object;
  const found = await read(target, object);
  if (found === undefined || found.metadata.deletionTimestamp !== undefined) return 'it was deleted';
  const { conditions = [], experiment: { containerRecords: records = [] } = {} } = found.status ?? {};
  const holds = (wanted: string): boolean => conditions.some(({ type, status }) => type === wanted && status === 'True');
  if (conditions.length === 0) return `its controller says nothing of it, and may not look after namespace ${namespace}`;
  if (!holds('Selected')) return `it selected no pod; where it was installed with enableFilterNamespace, namespace ${namespace} needs the annotation chaos-mesh.org/inject=enabled`;
  const unknown = pods.find((pod) => !records.some(({ id }) => id === `${namespace}/${pod}` || id.startsWith(`${namespace}/${pod}/`)));
  if (unknown !== undefined) return `it did not select pod ${namespace}/${unknown}`;
  if (holds('AllInjected')) return undefined;
  const failed = records.flatMap(({ events = [] }) => events).findLast(({ type }) => type === 'Failed');
  return failed?.message ?? `it is not done to ${records.filter(({ phase }) => phase !== 'Injected').map(({ id }) => id).join(', ')}`;
}

/** Deletes them, and waits until Chaos Mesh has recovered what it did and lets go of them. Returns whether any was still there. */
export async function removeChaos(target: Target, objects: readonly Chaos[]): Promise<boolean> {
  const removed = await together(objects, async (object) => {
    const { context } = object;
    const cluster = target.cluster(context);
    const was = await cluster.askFor(`${titleOf(object)} cannot be removed`, () => cluster.custom.deleteNamespacedCustomObject(pathOf(object)));
    if (was === undefined) return false;
    const isGone = await poll(async () => await read(target, object) === undefined, { timeoutMs: requestTimeoutMs, everyMs: 200, signal: new AbortController().signal });
    if (!isGone) throw new UserError(`${titleOf(object)} is deleted, and Chaos Mesh has not recovered every pod yet`, { remedy: 'see that its controller and its daemon on the pods\' nodes run' });
    return true;
  });
  return removed.includes(true);
}

/** How many of them exist. */
export async function chaosThere(target: Target, objects: readonly Chaos[]): Promise<number> {
  return (await Promise.all(objects.map((object) => read(target, object)))).filter((object) => object !== undefined).length;
}

/** After this Chaos Mesh ends it by itself, where nobody is left to heal: longer than a drill holds a fault, and waits for it to be seen in cluster and answers. */
export function limitOf({ refs }: Target): string {
  return `${Math.ceil(refs.forSeconds) + 2 * takeHoldTimeoutMs / 1000 + 60}s`;
}

async function read(target: Target, object: Chaos): Promise<ChaosObject | undefined> {
  const cluster = target.cluster(object.context);
  return await cluster.askFor(`${titleOf(object)} cannot be read`, () => cluster.custom.getNamespacedCustomObject(pathOf(object)) as Promise<ChaosObject>);
}

async function create(target: Target, { kind, context, namespace, name, spec }: PlannedChaos, how: { dryRun?: 'All' } = {}): Promise<unknown> {
  const metadata = { name, namespace, labels: { 'app.kubernetes.io/managed-by': fieldManager, [runLabel]: target.refs.run } };
  const body = { apiVersion: `${api.group}/${api.version}`, kind, metadata, spec };
  return await target.cluster(context).custom.createNamespacedCustomObject({ ...api, namespace, plural: plurals[kind], fieldManager, body, ...how });
}

/** Whoever may not even see which kinds there are is told the same as where there are none. */
async function isInstalled(cluster: Cluster, kind: Chaos['kind']): Promise<boolean> {
  try {
    const { resources } = await cluster.ask(`the kinds of ${api.group} cannot be listed`, () => cluster.custom.getAPIResources(api));
    return resources.some((resource) => resource.kind === kind);
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    return false;
  }
}

function rightTo(verb: string, { kind, namespace }: Pick<Chaos, 'kind' | 'namespace'>): Right {
  return { verb, group: api.group, resource: plurals[kind], namespace };
}

function titleOf({ kind, context, namespace, name }: Chaos): string {
  return `${kind} ${namespace}/${name} of cluster ${context}`;
}

function pathOf({ kind, namespace, name }: Chaos): typeof api & { namespace: string; plural: string; name: string } {
  return { ...api, namespace, plural: plurals[kind], name };
}
