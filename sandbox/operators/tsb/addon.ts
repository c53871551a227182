import type { KubernetesObject } from '@kubernetes/client-node';
import type { ClusterInfo } from '../../machine/clusters.ts';
import type { Addon, AddonContext } from '../addon.ts';
import { tsbDefinitions } from './crds.ts';
import { gatewayFilter } from './gateway-filter.ts';
import { onboardingLabel } from './hierarchy.ts';
import { multiclusterNamespace } from './translate/objects.ts';

/** The organization of the sandbox's TSB: onboarding names it. */
const organization = 'tetrate';
const namespace = 'tsb';
const labels = { app: 'tsb-operator' };

/**
 * Tetrate Service Bridge, as a stand-in: its definitions, ControlPlane and filter of gateways in every onboarded cluster (GitOps is on in all of them),
 * and in the central cluster the operator with a kubeconfig of each, and a Cluster object for each, as onboarding leaves them.
 */
export const tsb: Addon = {
  name: 'tsb',
  for: isOnboarded,
  objects: (context) => Promise.resolve([
    ...tsbDefinitions(),
    ...['istio-system', multiclusterNamespace].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    controlPlane(context.cluster),
    gatewayFilter(),
    ...(context.cluster.role === 'central' ? operator(context) : []),
  ] as KubernetesObject[]),
};

/** Kafka's cluster is outside of TSB: nothing of it is routed there. */
function isOnboarded({ role }: ClusterInfo): boolean {
  return role !== 'kafka';
}

function controlPlane({ name }: ClusterInfo): object {
  return {
    apiVersion: 'install.tetrate.io/v1alpha1', kind: 'ControlPlane', metadata: { name: 'controlplane', namespace: 'istio-system' },
    spec: { managementPlane: { clusterName: name }, components: { gitops: { enabled: true } } },
  };
}

function operator(context: AddonContext): object[] {
  const metadata = { name: 'tsb-operator', namespace, labels };
  const clusters = context.clusters.filter(isOnboarded);
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...clusters.map((cluster) => ({
      apiVersion: 'tsb.tetrate.io/v2', kind: 'Cluster',
      metadata: { name: cluster.name, namespace, labels: onboardingLabel, annotations: { 'tsb.tetrate.io/organization': organization } }, spec: { displayName: cluster.name },
    })),
    {
      apiVersion: 'v1', kind: 'Secret', metadata: { ...metadata, name: 'cluster-kubeconfigs' },
      stringData: Object.fromEntries(clusters.map((cluster) => [cluster.name, context.kubeconfigFor(cluster)])),
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    deployment(metadata),
  ];
}

function deployment(metadata: object): object {
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata,
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' }, // two operators would only do everything twice
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: 'tsb-operator',
          terminationGracePeriodSeconds: 5,
          containers: [{
            name: 'tsb-operator',
            image: 'tetrate/tsb-operator:stand-in',
            readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1, failureThreshold: 60 },
            ports: [{ name: 'http', containerPort: 8080 }],
            volumeMounts: [{ name: 'kubeconfigs', mountPath: '/etc/tsb/kubeconfigs', readOnly: true }],
          }],
          volumes: [{ name: 'kubeconfigs', secret: { secretName: 'cluster-kubeconfigs' } }],
        },
      },
    },
  };
}
