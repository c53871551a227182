import type { V1ContainerStatus, V1Pod, V1PodCondition, V1PodSpec, V1PodStatus } from '@kubernetes/client-node';

/** An API type as it travels: the client library's models, with times as RFC 3339 strings. */
export type Json<T> = T extends Date ? string : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** What every stored object has. */
export interface Metadata {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
}

export interface Stored { apiVersion?: string; kind?: string; metadata: Metadata }

export type PodSpec = Json<V1PodSpec>;
export type PodStatus = Json<V1PodStatus>;
export type PodCondition = Json<V1PodCondition>;
export type ContainerStatus = Json<V1ContainerStatus>;
export type Pod = Omit<Json<V1Pod>, 'metadata' | 'spec'> & { metadata: Metadata & { namespace: string }; spec: PodSpec };
