import { UserError } from '../../../errors.ts';
import { fieldManager } from '../kubernetes.ts';
import type { BridgeApi, BridgeObject } from '../kubernetes.ts';
import type { Fault } from './fault.ts';
import { replicasOwners, returnReplicas } from './ownership.ts';
import type { Owner } from './ownership.ts';

interface Undo {
  uid: string;
  replicas: number;
  owners: Owner[];
}

/** The region's KafkaBridge is scaled to no replicas, through its resource, as a person would. */
export const bridgeScale0: Fault<Undo> = {
  name: 'bridge-scale-0',
  blastRadius: 'every bridge pod of one region is stopped in order; its gateway stays',

  async prepare(target) {
    const bridge = await target.read();
    const { context, namespace, bridge: name } = target.ref;
    if (bridge === undefined) throw new UserError(`cluster ${context} has no KafkaBridge ${namespace}/${name}`);
    // The CRD has no default: without the field the operator runs one.
    const replicas = bridge.spec?.replicas ?? 1;
    if (replicas === 0) throw new UserError(`KafkaBridge ${namespace}/${name} in cluster ${context} has no replicas already`);
    return { uid: bridge.metadata.uid, replicas, owners: replicasOwners(bridge.metadata.managedFields ?? []) };
  },

  inject: (target) => target.scale(0),

  isEffective: async (target) => (await target.readyEndpoints()) === 0,

  async heal(target, undo) {
    const bridge = await target.read();
    if (bridge?.metadata.uid !== undo.uid) return false;
    const scaled = bridge.spec?.replicas === 0;
    if (scaled) await target.scale(undo.replicas);
    return (await giveBack(target, undo)) || scaled;
  },

  isHealed: async (target, { replicas }) => (await target.readyEndpoints()) >= replicas,
};

/** The operator writes the status meanwhile, so the write can meet a newer object. */
async function giveBack(target: BridgeApi, { uid, owners }: Undo): Promise<boolean> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const bridge: BridgeObject | undefined = await target.read();
    if (bridge?.metadata.uid !== uid) return false;
    const returned = returnReplicas(bridge.metadata.managedFields ?? [], fieldManager, owners);
    if (returned === undefined) return false;
    if (await target.writeManagedFields(bridge, returned)) return true;
  }
  const { context, namespace, bridge } = target.ref;
  throw new UserError(`the ownership of .spec.replicas of KafkaBridge ${namespace}/${bridge} in cluster ${context} could not be given back: the object kept changing`);
}
