import type { KubernetesObject } from '@kubernetes/client-node';
import { readManifests } from './addon.ts';
import type { Addon } from './addon.ts';
import { injector } from './istio-injector.ts';
import { istioVersion } from '../toolchain/istio-version.ts';
import { istioKinds } from './tsb/kinds.ts';

/** What Istio's charts install: definitions, the control plane with its rights, and the sidecar injector. */
export const istio: Addon = {
  name: 'istio',
  for: () => true,
  objects: async ({ cluster, tools }) => [
    ...await customResourceDefinitions(tools.istioCrds),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } },
    ...rights(),
    meshConfig(),
    deployment(cluster.name),
    service(),
    ...injector(),
  ] as KubernetesObject[],
};

const labels = { app: 'istiod', istio: 'pilot' };
const metadata = { name: 'istiod', namespace: 'istio-system', labels };

/** Istio's kinds that TSB writes. Each definition costs every API server a quarter of a second of processor time and 10 MB, so no others. */
const kinds = new Set(istioKinds.map(({ kind }): string => kind));

async function customResourceDefinitions(file: string): Promise<KubernetesObject[]> {
  const definitions = await readManifests(file) as (KubernetesObject & { spec?: { names?: { kind?: string } } })[];
  return definitions.filter(({ spec }) => kinds.has(spec?.names?.kind ?? ''));
}

/** Plain on the wire everywhere: the sandbox's proxies have no certificates (every report names it). */
function meshConfig(): object {
  const mesh = 'enableAutoMtls: false\ntrustDomain: cluster.local\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15010\n';
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'istio' }, data: { mesh, meshNetworks: 'networks: {}\n' } };
}

function deployment(clusterName: string): object {
  const probe = { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 1, failureThreshold: 60 };
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, 'sidecar.istio.io/inject': 'false' } },
        spec: {
          serviceAccountName: 'istiod',
          terminationGracePeriodSeconds: 5,
          containers: [{
            name: 'discovery',
            image: `docker.io/istio/pilot:${istioVersion}`,
            args: [
              'discovery', `--clusterID=${clusterName}`, '--meshConfig=/etc/istio/config/mesh', '--networksConfig=/etc/istio/config/meshNetworks',
              '--grpcAddr=:15010', '--httpAddr=:8080', '--monitoringAddr=:15014', '--httpsAddr=', '--secureGRPCAddr=', '--ctrlz_port=0',
              '--log_output_level=default:warn',
            ],
            env: environment(clusterName),
            ports: [{ containerPort: 15010, name: 'grpc-xds' }, { containerPort: 8080, name: 'http-ready' }, { containerPort: 15014, name: 'http-monitoring' }],
            readinessProbe: probe,
            volumeMounts: [{ name: 'config', mountPath: '/etc/istio/config' }],
          }],
          volumes: [{ name: 'config', configMap: { name: 'istio' } }],
        },
      },
    },
  };
}

/**
 * No certificate authority, webhooks or metadata exchange: plain Envoys could not use them. Gateways say who they are in a header that is
 * believed: istiod gives the certificates of TLS servers to nobody whom it does not know.
 */
function environment(clusterName: string): object[] {
  const values = {
    CLUSTER_ID: clusterName, REVISION: 'default', ENABLE_CA_SERVER: 'false', PILOT_CERT_PROVIDER: 'none', METADATA_EXCHANGE_DISABLED: 'true',
    PILOT_ENABLE_METADATA_EXCHANGE: 'false', PILOT_ENABLE_ALPN_FILTER: 'false', INJECTION_WEBHOOK_CONFIG_NAME: '', VALIDATION_WEBHOOK_CONFIG_NAME: '',
    XDS_AUTH_PLAINTEXT: 'true', TRUSTED_GATEWAY_CIDR: '0.0.0.0/0',
    PILOT_DEBOUNCE_AFTER: '20ms', // the sandbox's changes are few; waiting for more of them (100 ms) would only make reactions slow
  };
  const field = (fieldPath: string): object => ({ fieldRef: { fieldPath } });
  return [
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
    { name: 'POD_NAME', valueFrom: field('metadata.name') },
    { name: 'POD_NAMESPACE', valueFrom: field('metadata.namespace') },
    { name: 'SERVICE_ACCOUNT', valueFrom: field('spec.serviceAccountName') },
  ];
}

function service(): object {
  return {
    apiVersion: 'v1', kind: 'Service', metadata,
    spec: { selector: labels, ports: [{ name: 'grpc-xds', port: 15010 }, { name: 'http-monitoring', port: 15014 }] },
  };
}

function rights(): object[] {
  const read = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['pods', 'nodes', 'services', 'namespaces', 'endpoints', 'configmaps', 'secrets', 'serviceaccounts'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'ingressclasses'], verbs: read },
    { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: read },
    { apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: read },
    { apiGroups: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io'], resources: ['*'], verbs: read },
    { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, 'create', 'update', 'patch'] },
    { apiGroups: [''], resources: ['configmaps', 'events'], verbs: ['create', 'update', 'patch'] },
  ];
  const subject = { kind: 'ServiceAccount', name: 'istiod', namespace: 'istio-system' };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'istiod', labels }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'istiod', labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'istiod' }, subjects: [subject],
    },
  ];
}
