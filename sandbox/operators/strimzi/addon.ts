import type { KubernetesObject } from '@kubernetes/client-node';
import { readManifests } from '../addon.ts';
import type { Addon } from '../addon.ts';
import { operatorName } from './labels.ts';
import { releases } from './release.ts';

const namespace = 'kafka-operator';
const labels = { app: 'strimzi' };
const podLabels = { name: operatorName, 'strimzi.io/kind': 'cluster-operator' };

/** The Strimzi operator, as its chart with `watchAnyNamespace` would install it: Strimzi's own CRDs, and this repository's stand-in as the program. */
export const strimzi: Addon = {
  name: 'strimzi',
  for: ({ role }) => role !== 'central',
  objects: async ({ tools }) => [...await readManifests(tools.strimziCrds), ...operator({ namespace, tag: releases.at(-1)?.operator ?? '' })],
};

/** The operator with its rights. @param tag of its image: the release that it is */
export function operator({ namespace, tag }: { namespace: string; tag: string }): KubernetesObject[] {
  const metadata = { name: operatorName, namespace, labels };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: operatorName, labels }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: operatorName, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: operatorName },
      subjects: [{ kind: 'ServiceAccount', name: operatorName, namespace }],
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec(tag) },
  ] as KubernetesObject[];
}

const all = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'];
const rules = [
  { apiGroups: ['kafka.strimzi.io'], resources: ['kafkas', 'kafkanodepools', 'kafkabridges', 'kafkatopics', 'kafkausers'], verbs: ['get', 'list', 'watch', 'patch', 'update'] },
  { apiGroups: ['kafka.strimzi.io'], resources: ['kafkas/status', 'kafkanodepools/status', 'kafkabridges/status', 'kafkatopics/status', 'kafkausers/status'], verbs: ['get', 'patch', 'update'] },
  // Needed to name their resources as owners that block deletion.
  { apiGroups: ['kafka.strimzi.io'], resources: ['kafkas/finalizers', 'kafkanodepools/finalizers', 'kafkabridges/finalizers'], verbs: ['update'] },
  { apiGroups: ['core.strimzi.io'], resources: ['strimzipodsets', 'strimzipodsets/status', 'strimzipodsets/finalizers'], verbs: all },
  { apiGroups: [''], resources: ['pods', 'serviceaccounts', 'configmaps', 'services', 'secrets', 'persistentvolumeclaims'], verbs: all },
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: all },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: all },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: all },
];

const deploymentSpec = (tag: string) => ({
  replicas: 1,
  selector: { matchLabels: podLabels },
  strategy: { type: 'Recreate' },
  template: {
    metadata: { labels: { ...labels, ...podLabels } },
    spec: {
      serviceAccountName: operatorName,
      terminationGracePeriodSeconds: 5,
      containers: [{
        name: operatorName,
        image: `quay.io/strimzi/operator:${tag}`,
        env: [{ name: 'STRIMZI_NAMESPACE', value: '*' }],
        ports: [{ name: 'http', containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1, failureThreshold: 60 },
        livenessProbe: { httpGet: { path: '/healthy', port: 'http' }, initialDelaySeconds: 30, periodSeconds: 30 },
      }],
    },
  },
});
