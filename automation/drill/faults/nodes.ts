import type { V1Node } from '@kubernetes/client-node';
import { UserError } from '../../../errors.ts';
import { fieldManager } from '../cluster.ts';
import type { Cluster } from '../cluster.ts';
import { ownershipPatch, unlessChanged } from '../kubernetes.ts';
import type { ManagedFields } from '../kubernetes.ts';
import { ownersOf, returnField } from './ownership.ts';
import type { Owner } from './ownership.ts';

/** A node that takes pods, with what it takes to have it do so again. */
export interface FreeNode {
  name: string;
  uid: string;
  /** Who held `.spec.unschedulable`, which it need not have for that. */
  owners: Owner[];
}

/** Refuses where the credentials may not cordon nodes. */
export async function mustCordon(cluster: Cluster): Promise<void> {
  await cluster.mustAllow(['get', 'patch'].map((verb) => ({ verb, group: '', resource: 'nodes', namespace: '' })));
}

/** The node, if it is there and takes pods. */
export async function freeNode(cluster: Cluster, name: string): Promise<FreeNode | undefined> {
  const node = await read(cluster, name);
  if (node === undefined || node.spec?.unschedulable === true) return undefined;
  return { name, uid: node.metadata?.uid ?? '', owners: ownersOf(fieldsOf(node), 'unschedulable') };
}

/** As `kubectl cordon` does. Where somebody else did so meanwhile, it stays that one's. */
export async function cordon(cluster: Cluster, { name, uid }: FreeNode): Promise<void> {
  await cluster.ask(`node ${name} cannot be cordoned`, () => cluster.core.patchNode({
    name, fieldManager, body: [{ op: 'test', path: '/metadata/uid', value: uid }, { op: 'add', path: '/spec/unschedulable', value: true }],
  }));
}

/** Whether it is cordoned, and by a drill. */
export async function isCordonedByDrill(cluster: Cluster, { name, uid }: FreeNode): Promise<boolean> {
  const node = await read(cluster, name);
  return node?.metadata?.uid === uid && isDrills(node);
}

/** Has it take pods again, if it is the drill's cordon that keeps it from it, and gives the field back to who held it. False where there was nothing to undo. */
export async function uncordon(cluster: Cluster, { name, uid, owners }: FreeNode): Promise<boolean> {
  let changed = false;
  // A kubelet and controllers write to a node meanwhile.
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const node = await read(cluster, name);
    const body = node?.metadata?.uid === uid ? undoing(node, owners) : undefined;
    if (body === undefined) return changed;
    if (await unlessChanged(() => cluster.ask(`node ${name} cannot be uncordoned`, () => cluster.core.patchNode({ name, fieldManager, body })))) changed = true;
  }
  throw new UserError(`node ${name} in cluster ${cluster.context} could not be uncordoned: it kept changing`);
}

/** What is to be patched next, if anything. */
function undoing(node: V1Node, owners: readonly Owner[]): object[] | undefined {
  const { resourceVersion = '' } = node.metadata ?? {};
  if (isDrills(node)) return [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }, { op: 'remove', path: '/spec/unschedulable' }];
  // Cordoned by somebody else by now.
  if (node.spec?.unschedulable === true) return undefined;
  const returned = returnField(fieldsOf(node), 'unschedulable', { drill: fieldManager, owners });
  return returned && ownershipPatch(resourceVersion, returned);
}

/** An API server that says nobody holds the field leaves it to the journal, which has only nodes that were free. */
function isDrills(node: V1Node): boolean {
  const owners = ownersOf(fieldsOf(node), 'unschedulable');
  return node.spec?.unschedulable === true && (owners.length === 0 || owners.some(({ manager }) => manager === fieldManager));
}

function fieldsOf({ metadata }: V1Node): ManagedFields[] {
  return (metadata?.managedFields ?? []) as ManagedFields[];
}

async function read(cluster: Cluster, name: string): Promise<V1Node | undefined> {
  return await cluster.askFor(`node ${name} cannot be read`, () => cluster.core.readNode({ name }));
}
