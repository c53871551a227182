import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { V1PersistentVolumeClaimSpec, V1PersistentVolumeSpec } from '@kubernetes/client-node';
import { ApiError } from './api.ts';
import type { CallOptions } from './api.ts';
import { inform, objectKey } from './informer.ts';
import type { Informer } from './informer.ts';
import type { NodeContext } from './node-context.ts';
import { isOutdated, untilAnswered } from './retry.ts';
import type { Json, Stored } from './types.ts';

type Claim = Stored & { spec: Json<V1PersistentVolumeClaimSpec>; status?: { phase?: string } };
type Volume = Stored & { spec: Json<V1PersistentVolumeSpec>; status?: { phase?: string } };

const className = 'standard';
const provisioner = 'sandbox/directory';
const createdBy = 'pv.kubernetes.io/provisioned-by';

/** Makes the default storage class. Its volumes are directories of this machine, whose size nothing limits. */
export async function createStorageClass({ api }: NodeContext): Promise<void> {
  await ignoring(409, api.call('POST', '/apis/storage.k8s.io/v1/storageclasses', {
    body: {
      metadata: { name: className, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner, reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate', allowVolumeExpansion: true,
    },
  }));
}

/** Gives each claim of the class a volume, and removes the volumes, with their directories, whose claims are gone; until the signal. */
export function serveClaims(node: NodeContext, signal: AbortSignal): { readonly synced: Promise<unknown> } {
  const failed = (error: unknown) => { console.error(`claims of ${node.cluster.name}: ${String(error)}`); };
  const about = (claim: Claim) => ({ ...claim, kind: 'PersistentVolumeClaim' });
  const claims: Informer<Claim> = inform<Claim>(node.api, {
    path: '/api/v1/persistentvolumeclaims', failed,
    changed(claim) {
      if (claim.metadata.deletionTimestamp !== undefined || claim.status?.phase === 'Bound' || (claim.spec.storageClassName ?? className) !== className) return;
      void untilAnswered(() => provision(node, claim), { signal, what: `claim ${objectKey(claim)}` }).then((refusal) => {
        if (refusal !== undefined && !isOutdated(refusal)) node.recorder.event(about(claim), 'Warning', 'ProvisioningFailed', refusal.message);
      });
    },
    deleted(claim) { void untilAnswered(() => reclaim(node, `pvc-${claim.metadata.uid}`), { signal, what: `volume of ${objectKey(claim)}` }); },
  }, signal);
  const synced = claims.synced.then(() => untilAnswered(() => reclaimAbandoned(node, claims), { signal, what: `volumes of ${node.cluster.name}` }));
  return { synced };
}

async function provision(node: NodeContext, claim: Claim): Promise<void> {
  const { name, namespace = 'default', uid } = claim.metadata;
  // A claim that names a volume of its own accord waits for that one.
  if (claim.spec.volumeName !== undefined && claim.spec.volumeName !== `pvc-${uid}`) return;
  const volume = `pvc-${uid}`;
  const path = join(node.dir, 'volumes', node.cluster.name, volume);
  await mkdir(path, { recursive: true });
  const capacity = { storage: claim.spec.resources?.requests?.storage ?? '1Gi' };
  const accessModes = claim.spec.accessModes ?? ['ReadWriteOnce'];
  const call = (method: 'POST' | 'PATCH', url: string, body: unknown) =>
    ignoring(409, node.api.call(method, url, { body, ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}) } as CallOptions));
  await call('POST', '/api/v1/persistentvolumes', {
    metadata: { name: volume, annotations: { [createdBy]: provisioner } },
    spec: {
      capacity, accessModes, persistentVolumeReclaimPolicy: 'Delete', storageClassName: className, volumeMode: 'Filesystem', hostPath: { path },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
    },
  });
  // The controller manager binds as well; whoever comes second finds it done.
  await call('PATCH', `/api/v1/persistentvolumes/${volume}/status`, { status: { phase: 'Bound' } });
  const claimPath = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;
  await call('PATCH', claimPath, { metadata: { uid, annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' } }, spec: { volumeName: volume } });
  await call('PATCH', `${claimPath}/status`, { metadata: { uid }, status: { phase: 'Bound', accessModes, capacity } });
}

async function reclaim(node: NodeContext, volume: string): Promise<void> {
  await ignoring(404, node.api.call('DELETE', `/api/v1/persistentvolumes/${volume}`));
  await rm(join(node.dir, 'volumes', node.cluster.name, volume), { recursive: true, force: true });
}

/** Volumes whose claims went while no agent ran. */
async function reclaimAbandoned(node: NodeContext, claims: Informer<Claim>): Promise<void> {
  const { items } = await node.api.call<{ items: Volume[] }>('GET', '/api/v1/persistentvolumes');
  const wanted = new Set([...claims.items.values()].map(({ metadata }) => `pvc-${metadata.uid}`));
  for (const { metadata } of items) {
    if (metadata.annotations?.[createdBy] === provisioner && !wanted.has(metadata.name)) await reclaim(node, metadata.name);
  }
}

async function ignoring(code: number, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.code !== code) throw error;
  });
}
