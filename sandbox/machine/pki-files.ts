import { join } from 'node:path';
import type { ClusterInfo } from './clusters.ts';

/** Paths of a certificate (PEM) and its private key (PKCS#8 PEM). */
export interface Pair { cert: string; key: string }

/** The files of one sandbox's PKI; which of them exist is settled by `createPki`. */
export function pkiFiles(dir: string) {
  const pair = (name: string): Pair => ({ cert: join(dir, 'pki', `${name}.crt`), key: join(dir, 'pki', `${name}.key`) });
  return {
    ca: pair('ca'),
    etcd: pair('etcd'),
    etcdClient: pair('etcd-client'),
    kubeletClient: pair('kubelet-client'),
    admin: pair('admin'),
    controllerManager: pair('controller-manager'),
    agent: pair('agent'),
    loadBalancer: pair('loadbalancer'),
    apiServer: (c: ClusterInfo) => pair(`apiserver-${c.name}`),
    kubelet: (c: ClusterInfo) => pair(`kubelet-${c.name}`),
    /** Signs service account tokens; per cluster, so that a token of one is worth nothing in another. */
    serviceAccount: (c: ClusterInfo) => pair(`service-account-${c.name}`),
  };
}
