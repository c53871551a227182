import { UserError } from '../../../errors.ts';
import { BridgeApi, fieldManager } from '../kubernetes.ts';
import type { BridgeObject } from '../kubernetes.ts';
import type { Fault, FaultTarget } from './fault.ts';
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
    const bridge = await open(target).read();
    const { context, namespace, bridge: name } = target.ref;
    if (bridge === undefined) throw new UserError(`cluster ${context} has no KafkaBridge ${namespace}/${name}`);
    // The CRD has no default: without the field the operator runs one.
    const replicas = bridge.spec?.replicas ?? 1;
    if (replicas === 0) throw new UserError(`KafkaBridge ${namespace}/${name} in cluster ${context} has no replicas already`);
    return { uid: bridge.metadata.uid, replicas, owners: replicasOwners(bridge.metadata.managedFields ?? []) };
  },

  inject: (target) => open(target).scale(0),

  isEffective: async (target) => (await open(target).readyEndpoints()) === 0,

  async heal(target, undo) {
    const api = open(target);
    const bridge = await api.read();
    if (bridge?.metadata.uid !== undo.uid) return false;
    const scaled = bridge.spec?.replicas === 0;
    if (scaled) await api.scale(undo.replicas);
    return (await giveBack(api, undo)) || scaled;
  },

  isHealed: async (target, { replicas }) => (await open(target).readyEndpoints()) >= replicas,
};

function open({ kubeconfig, ref }: FaultTarget): BridgeApi {
  return new BridgeApi(kubeconfig, ref);
}

/** The operator writes the status meanwhile, so the write can meet a newer object. */
async function giveBack(api: BridgeApi, { uid, owners }: Undo): Promise<boolean> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const bridge: BridgeObject | undefined = await api.read();
    if (bridge?.metadata.uid !== uid) return false;
    const returned = returnReplicas(bridge.metadata.managedFields ?? [], fieldManager, owners);
    if (returned === undefined) return false;
    if (await api.writeManagedFields(bridge, returned)) return true;
  }
  const { context, namespace, bridge } = api.ref;
  throw new UserError(`the ownership of .spec.replicas of KafkaBridge ${namespace}/${bridge} in cluster ${context} could not be given back: the object kept changing`);
}
