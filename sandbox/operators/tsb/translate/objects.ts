import { createHash } from 'node:crypto';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { ClusterFacts, TsbObject } from '../model.ts';

/** An object that the operator wants in a cluster, and the TSB object that it comes from: who is told when the cluster refuses it. */
export interface Wanted { readonly cluster: ClusterFacts; readonly object: WantedObject; readonly source: TsbObject }
export interface WantedObject extends KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
}

/** Marks what the operator may change and delete. */
export const ownedBy = { 'app.kubernetes.io/managed-by': 'tsb-operator' } as const;

/** Where TSB keeps what belongs to no namespace of the user's. */
export const multiclusterNamespace = 'xcp-multicluster';

type IstioKind = 'Gateway' | 'VirtualService' | 'DestinationRule' | 'ServiceEntry' | 'WorkloadEntry' | 'EnvoyFilter';

export function istioObject(kind: IstioKind, at: { name: string; namespace: string }, spec: object): WantedObject {
  const version = kind === 'EnvoyFilter' ? 'v1alpha3' : 'v1';
  return { apiVersion: `networking.istio.io/${version}`, kind, metadata: { name: objectName(at.name), namespace: at.namespace, labels: ownedBy }, spec } as WantedObject;
}

/** A valid object name from parts like host names. */
function objectName(text: string): string {
  const name = text.toLowerCase().replace(/^\*/, 'wildcard').replace(/[^a-z0-9.-]/g, '-');
  return name.length <= 200 ? name : `${name.slice(0, 190)}-${shortHash(name)}`;
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
