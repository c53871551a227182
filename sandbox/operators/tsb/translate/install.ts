import type { ClusterFacts, GatewaySpec, TsbObject } from '../model.ts';
import { eastWestPort } from '../model.ts';
import { defined } from '../resilience.ts';
import { istioVersion } from '../../../toolchain/istio-version.ts';
import { portOf } from './gateways.ts';
import { ownedBy } from './objects.ts';
import type { Wanted, WantedObject } from './objects.ts';
import { hasLabels } from './world.ts';
import type { World } from './world.ts';

interface InstallSpec {
  readonly type?: 'UNIFIED' | 'INGRESS' | 'EGRESS' | 'EASTWEST';
  readonly eastWestOnly?: boolean;
  readonly concurrency?: number;
  readonly connectionDrainDuration?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly kubeSpec?: {
    readonly service?: { readonly type?: string; readonly annotations?: Labels; readonly labels?: Labels; readonly ports?: readonly object[] };
    readonly overlays?: readonly Overlay[];
    readonly deployment?: { readonly replicaCount?: number; readonly hpaSpec?: { readonly minReplicas?: number }; readonly labels?: Labels; readonly podAnnotations?: Labels; readonly resources?: object; readonly env?: readonly object[] };
  };
}
interface Overlay { readonly kind?: string; readonly name?: string; readonly patches?: readonly { readonly path?: string; readonly value?: unknown }[] }
type Labels = Readonly<Record<string, string>>;

/** A gateway's ServiceAccount with its right to certificates, its Deployment and Service, in the cluster and namespace of its install object. */
export function installedGateway(world: Pick<World, 'gateways'>, cluster: ClusterFacts, object: TsbObject): Wanted[] {
  const spec = object.spec as InstallSpec;
  return [serviceAccount(object), ...secretRights(object), deployment(object, spec), service(object, spec, ownPorts(world, cluster, object))]
    .map((wanted) => ({ cluster, source: object, object: { ...wanted, metadata: { ...wanted.metadata, ownerReferences: [owner(object)] } } as WantedObject }));
}

/** Envoy's own default port for each public one: below 1024 a gateway of a real mesh may not listen. */
const targetPorts: Readonly<Record<number, number>> = { 80: 8080, 443: 8443 };

/** Ports that the gateway's own servers listen on beside the ones that every gateway has. */
function ownPorts({ gateways }: Pick<World, 'gateways'>, cluster: ClusterFacts, object: TsbObject): number[] {
  const servers = gateways
    .filter(({ spec, clusters }) => clusters.includes(cluster) && spec.workloadSelector.namespace === object.metadata.namespace && hasLabels(podLabels(object), spec.workloadSelector.labels))
    .flatMap(({ spec }: { spec: GatewaySpec }) => spec.http ?? []);
  return [...new Set(servers.map(portOf))].filter((port) => !(port in targetPorts)).sort((a, b) => a - b);
}

function podLabels({ metadata: { name } }: TsbObject): Labels {
  return { app: name, istio: 'ingressgateway' };
}

function meta(object: TsbObject, labels: Labels, name = object.metadata.name): WantedObject['metadata'] {
  return { name, namespace: object.metadata.namespace ?? '', labels: { ...labels, ...ownedBy } };
}

function owner({ apiVersion, kind, metadata: { name, uid } }: TsbObject): object {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false };
}

function serviceAccount(object: TsbObject): WantedObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta(object, podLabels(object), accountName(object)) };
}

/** istiod gives certificates only to who may read Secrets itself. */
function secretRights(object: TsbObject): WantedObject[] {
  const name = `${object.metadata.name}-sds`;
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: meta(object, podLabels(object), name), rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] }] },
    {
      apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata: meta(object, podLabels(object), name),
      roleRef: { apiGroup: rbac, kind: 'Role', name }, subjects: [{ kind: 'ServiceAccount', name: accountName(object), namespace: object.metadata.namespace }],
    },
  ] as unknown as WantedObject[];
}

/** Overlays that do nothing here, as paths. */
export function ignoredOverlays({ metadata, spec }: TsbObject): string[] {
  return ((spec as InstallSpec).kubeSpec?.overlays ?? []).flatMap((overlay) =>
    (overlay.patches ?? []).filter(({ path }) => !isServiceAddress(metadata.name, overlay, path)).map(({ path = '' }) => `overlay ${overlay.kind ?? ''} ${overlay.name ?? ''}: ${path}`));
}

function isServiceAddress(gateway: string, { kind, name }: Overlay, path: string | undefined): boolean {
  return kind === 'Service' && name === gateway && path === 'spec.loadBalancerIP';
}

function accountName({ metadata: { name } }: TsbObject): string {
  return `${name}-service-account`;
}

function deployment(object: TsbObject, { kubeSpec, concurrency, connectionDrainDuration, terminationGracePeriodSeconds }: InstallSpec): WantedObject {
  const { replicaCount, hpaSpec, labels, podAnnotations, resources, env } = kubeSpec?.deployment ?? {};
  const drainSeconds = Math.ceil(Number.parseFloat(connectionDrainDuration ?? '5s'));
  const container = defined({
    name: 'istio-proxy',
    image: `docker.io/istio/proxyv2:${istioVersion}`,
    args: ['proxy', 'router'],
    env: [
      { name: 'TERMINATION_DRAIN_DURATION_SECONDS', value: String(drainSeconds) }, { name: 'ISTIO_VERSION', value: istioVersion },
      ...(concurrency ? [{ name: 'ISTIO_CONCURRENCY', value: String(concurrency) }] : []), ...(env ?? []),
    ],
    ports: [{ name: 'http2', containerPort: 8080 }, { name: 'https', containerPort: 8443 }, { name: 'tls', containerPort: eastWestPort }, { name: 'status-port', containerPort: 15021 }],
    readinessProbe: { httpGet: { path: '/healthz/ready', port: 15021 }, periodSeconds: 1, failureThreshold: 4 },
    resources,
  });
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(object, { ...podLabels(object), ...labels }),
    spec: {
      replicas: Math.max(replicaCount ?? 1, hpaSpec?.minReplicas ?? 1), // nothing measures load here: the least number is the number
      selector: { matchLabels: podLabels(object) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: defined({ labels: { ...labels, ...podLabels(object), 'sidecar.istio.io/inject': 'false' }, annotations: podAnnotations }),
        spec: { serviceAccountName: accountName(object), terminationGracePeriodSeconds: terminationGracePeriodSeconds ?? drainSeconds + 5, containers: [container] },
      },
    },
  } as WantedObject;
}

function service(object: TsbObject, { type, eastWestOnly, kubeSpec }: InstallSpec, more: readonly number[]): WantedObject {
  const { type: serviceType, annotations, labels, ports } = kubeSpec?.service ?? {};
  const status = { name: 'status-port', port: 15021, targetPort: 15021, protocol: 'TCP' };
  const tls = { name: 'tls', port: eastWestPort, targetPort: eastWestPort, protocol: 'TCP' };
  const publicPorts = [...Object.keys(targetPorts).map(Number), ...more].map((port) =>
    ({ name: port === 80 ? 'http2' : port === 443 ? 'https' : `http-${port}`, port, targetPort: targetPorts[port] ?? port, protocol: 'TCP' }));
  const onlyEastWest = type === 'EASTWEST' || eastWestOnly === true;
  // As TSB documents: without kubeSpec.service, even an empty one, there is no east-west port.
  const address = (kubeSpec?.overlays ?? []).flatMap((overlay) => (overlay.patches ?? []).filter(({ path }) => isServiceAddress(object.metadata.name, overlay, path))).at(-1)?.value;
  const documented = [status, ...(onlyEastWest ? [] : publicPorts), ...(kubeSpec?.service === undefined ? [] : [tls])];
  return {
    apiVersion: 'v1', kind: 'Service',
    metadata: { ...meta(object, { ...labels, ...podLabels(object) }), ...(annotations ? { annotations } : {}) },
    spec: { type: serviceType ?? 'LoadBalancer', selector: podLabels(object), ports: ports?.length ? ports : documented, ...(address === undefined ? {} : { loadBalancerIP: address }) },
  } as WantedObject;
}
