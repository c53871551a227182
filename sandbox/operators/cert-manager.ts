import type { KubernetesObject } from '@kubernetes/client-node';
import { readManifests } from './addon.ts';
import type { Addon } from './addon.ts';

const name = 'cert-manager';
const labels = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/component': 'controller' };

/** cert-manager in Kafka's cluster: its own CRDs and its real controllers, without webhook and CA injector. */
export const certManager: Addon = {
  name,
  for: ({ role }) => role === 'kafka',
  objects: async ({ tools }) => [...await readManifests(tools.certManagerCrds), ...controller()],
};

function controller(): KubernetesObject[] {
  const metadata = { name, namespace: name, labels };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: `${name}-controller`, labels }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: `${name}-controller`, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${name}-controller` },
      subjects: [{ kind: 'ServiceAccount', name, namespace: name }],
    },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec },
  ] as KubernetesObject[];
}

const all = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const rules = [
  { apiGroups: ['cert-manager.io'], resources: ['certificates', 'certificaterequests', 'issuers', 'clusterissuers'], verbs: all },
  { apiGroups: ['cert-manager.io'], resources: ['certificates/status', 'certificaterequests/status', 'issuers/status', 'clusterissuers/status'], verbs: ['get', 'update', 'patch'] },
  { apiGroups: ['cert-manager.io'], resources: ['certificates/finalizers', 'certificaterequests/finalizers'], verbs: ['update'] },
  { apiGroups: ['cert-manager.io'], resources: ['signers'], resourceNames: ['issuers.cert-manager.io/*', 'clusterissuers.cert-manager.io/*'], verbs: ['approve'] },
  { apiGroups: [''], resources: ['secrets'], verbs: all },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

const deploymentSpec = {
  replicas: 1,
  selector: { matchLabels: labels },
  strategy: { type: 'Recreate' },
  template: {
    metadata: { labels },
    spec: {
      serviceAccountName: name,
      terminationGracePeriodSeconds: 5,
      containers: [{
        name: 'cert-manager-controller',
        image: 'quay.io/jetstack/cert-manager-controller:v1.21.2',
        args: ['--cluster-resource-namespace=$(POD_NAMESPACE)'],
        ports: [{ name: 'http-healthz', containerPort: 9403 }],
        readinessProbe: { httpGet: { path: '/livez', port: 'http-healthz' }, periodSeconds: 1, failureThreshold: 60 },
        env: [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }],
      }],
    },
  },
};
