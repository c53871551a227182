import { UserError } from '../../../errors.ts';
import { fieldManager } from '../cluster.ts';
import type { Cluster } from '../cluster.ts';
import { ownershipPatch, unlessChanged } from '../kubernetes.ts';
import type { BridgeApi, ManagedFields } from '../kubernetes.ts';
import { ownersOf, returnField } from './ownership.ts';
import type { Owner } from './ownership.ts';
import { refuse } from './target.ts';

/** An object with a number of replicas that the drill may change for a while. */
export interface Scalable {
  /** As a person finds it. */
  title: string;
  read(): Promise<State | undefined>;
  scale(replicas: number): Promise<void>;
  /** False when the object changed meanwhile. */
  writeOwnership(state: State, managedFields: ManagedFields[]): Promise<boolean>;
}

export interface State {
  uid: string;
  resourceVersion: string;
  replicas: number;
  managedFields: ManagedFields[];
}

/** What it takes to give replicas and their ownership back. */
export interface Scaled {
  uid: string;
  replicas: number;
  owners: Owner[];
}

/** What is to be given back later. Refuses an object that is not there, or has no replicas. */
export async function beforeScaling(object: Scalable): Promise<Scaled> {
  const state = await object.read() ?? refuse(`there is no ${object.title}`);
  if (state.replicas === 0) refuse(`${object.title} has no replicas already`);
  return { uid: state.uid, replicas: state.replicas, owners: ownersOf(state.managedFields, 'replicas') };
}

/** Gives replicas back where there are none, and their ownership in any case. False when there was nothing to give back. */
export async function scaleBack(object: Scalable, undo: Scaled): Promise<boolean> {
  const state = await object.read();
  if (state?.uid !== undo.uid) return false;
  const scaled = state.replicas === 0;
  if (scaled) await object.scale(undo.replicas);
  return (await giveBack(object, undo)) || scaled;
}

/** Its controller writes the status meanwhile, so the write can meet a newer object. */
async function giveBack(object: Scalable, { uid, owners }: Scaled): Promise<boolean> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const state = await object.read();
    if (state?.uid !== uid) return false;
    const returned = returnField(state.managedFields, 'replicas', { drill: fieldManager, owners });
    if (returned === undefined) return false;
    if (await object.writeOwnership(state, returned)) return true;
  }
  throw new UserError(`the ownership of .spec.replicas of ${object.title} could not be given back: the object kept changing`);
}

/** A KafkaBridge, scaled through its resource as a person would; its operator would undo a change of the Deployment. */
export function bridgeReplicas(bridge: BridgeApi): Scalable {
  const { context, namespace, bridge: name } = bridge.ref;
  return {
    title: `KafkaBridge ${namespace}/${name} in cluster ${context}`,
    async read() {
      const object = await bridge.read();
      if (object === undefined) return undefined;
      const { uid, resourceVersion, managedFields = [] } = object.metadata;
      // The CRD has no default: without the field the operator runs one.
      return { uid, resourceVersion, managedFields, replicas: object.spec?.replicas ?? 1 };
    },
    scale: (replicas) => bridge.scale(replicas),
    writeOwnership: (state, managedFields) => bridge.writeManagedFields({ metadata: state }, managedFields),
  };
}

export function deploymentReplicas(cluster: Cluster, { namespace, name }: { namespace: string; name: string }): Scalable {
  const title = `Deployment ${namespace}/${name}`;
  const place = { namespace, name };
  return {
    title: `${title} in cluster ${cluster.context}`,
    async read() {
      const object = await cluster.askFor(`${title} cannot be read`, () => cluster.apps.readNamespacedDeployment(place));
      if (object === undefined) return undefined;
      const { uid = '', resourceVersion = '', managedFields = [] } = object.metadata ?? {};
      return { uid, resourceVersion, managedFields: managedFields as ManagedFields[], replicas: object.spec?.replicas ?? 1 };
    },
    async scale(replicas) {
      await cluster.ask(`${title} cannot be scaled`, () => cluster.apps.patchNamespacedDeploymentScale({ ...place, fieldManager, body: [{ op: 'add', path: '/spec/replicas', value: replicas }] }));
    },
    writeOwnership: (state, managedFields) => unlessChanged(() => cluster.ask(`${title} cannot be written`, () =>
      cluster.apps.patchNamespacedDeployment({ ...place, fieldManager, body: ownershipPatch(state.resourceVersion, managedFields) }))),
  };
}
