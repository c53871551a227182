import type { KubernetesObject, V1Node, V1Service } from '@kubernetes/client-node';
import type { Connection } from './connection.ts';
import { isOnboarding, sameCluster } from './hierarchy.ts';
import { controlPlaneKind, installKinds, istioKinds, kinds } from './kinds.ts';
import type { ClusterFacts, ServiceFacts, TsbObject } from './model.ts';
import { directLabel } from './translate/direct.ts';
import { ownedBy } from './translate/objects.ts';
import { watchObjects } from './watch.ts';
import type { Watched } from './watch.ts';

/** A cluster as the operator keeps it in view. */
export interface WatchedCluster {
  readonly connection: Connection;
  /** Of objects that this process applied: metadata.generation after it, by apiVersion, kind, namespace and name. */
  readonly generations: Map<string, number>;
  /** Whether every kind was listed at least once. */
  readonly synced: boolean;
  /** TSB's objects, with Istio objects that a person wrote for an Istio internal group. */
  tsbObjects(): TsbObject[];
  /** Objects that the operator made, by apiVersion and kind. */
  owned(): KubernetesObject[];
  /** Undefined until its ControlPlane says its TSB name and a node its locality. */
  facts(clusterObjects: readonly TsbObject[]): ClusterFacts | undefined;
}

/** Resource paths of the kinds that the operator writes. */
export const writtenKinds = [
  { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' },
  { apiVersion: 'v1', kind: 'Service', plural: 'services' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', plural: 'roles' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', plural: 'rolebindings' },
  { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments' },
  ...istioKinds,
] as const;

export function watchCluster(connection: Connection, options: { onChange: () => void; log: (line: string) => void; signal: AbortSignal }): WatchedCluster {
  const watched = new Map<string, Watched>();
  const start = (apiVersion: string, plural: string, labelSelector?: string): void => {
    watched.set(`${apiVersion}/${plural}`, watchObjects({ connection, path: `${root(apiVersion)}/${plural}`, ...(labelSelector ? { labelSelector } : {}), ...options }));
  };
  for (const { apiVersion, plural } of [...kinds, ...installKinds, controlPlaneKind, ...istioKinds]) start(apiVersion, plural);
  for (const plural of ['services', 'namespaces', 'nodes']) start('v1', plural);
  start('v1', 'serviceaccounts', ownedSelector);
  start('apps/v1', 'deployments', ownedSelector);
  for (const plural of ['roles', 'rolebindings']) start('rbac.authorization.k8s.io/v1', plural, ownedSelector);
  const list = (apiVersion: string, plural: string): KubernetesObject[] => watched.get(`${apiVersion}/${plural}`)?.list() ?? [];
  return {
    connection,
    generations: new Map(),
    get synced() {
      return [...watched.values()].every(({ synced }) => synced);
    },
    tsbObjects: () => [
      ...[...kinds, ...installKinds].flatMap(({ apiVersion, plural }) => list(apiVersion, plural)),
      ...istioKinds.flatMap(({ apiVersion, plural }) => list(apiVersion, plural)).filter(isDirect),
    ].map((object) => ({ spec: {}, ...object, cluster: connection.context }) as TsbObject),
    owned: () => writtenKinds.flatMap(({ apiVersion, plural }) => list(apiVersion, plural)).filter(isOwned),
    facts: (clusterObjects) => facts(connection.context, {
      controlPlane: list(controlPlaneKind.apiVersion, controlPlaneKind.plural)[0] as ControlPlane | undefined,
      node: list('v1', 'nodes')[0] as V1Node | undefined,
      namespaces: list('v1', 'namespaces'), services: list('v1', 'services'), clusterObjects,
    }),
  };
}

/** `/api/v1` or `/apis/<group>/<version>`. */
export function root(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

const ownedSelector = Object.entries(ownedBy).map(([name, value]) => `${name}=${value}`).join(',');

function isOwned({ metadata }: KubernetesObject): boolean {
  return Object.entries(ownedBy).every(([name, value]) => metadata?.labels?.[name] === value);
}

function isDirect(object: KubernetesObject): boolean {
  return Object.entries(directLabel).every(([name, value]) => object.metadata?.labels?.[name] === value) && !isOwned(object);
}

type ControlPlane = KubernetesObject & { spec: { managementPlane: { clusterName: string } } };

interface Seen {
  readonly controlPlane: ControlPlane | undefined;
  readonly node: V1Node | undefined;
  readonly namespaces: readonly KubernetesObject[];
  readonly services: readonly KubernetesObject[];
  readonly clusterObjects: readonly TsbObject[];
}

function facts(context: string, { controlPlane, node, namespaces, services, clusterObjects }: Seen): ClusterFacts | undefined {
  const name = controlPlane?.spec.managementPlane.clusterName;
  const nodeLabels = node?.metadata?.labels;
  if (name === undefined || nodeLabels === undefined) return undefined;
  const object = clusterObject(clusterObjects, name);
  return {
    context, name,
    region: nodeLabels['topology.kubernetes.io/region'] ?? '', zone: nodeLabels['topology.kubernetes.io/zone'] ?? '',
    labels: object?.metadata.labels ?? {}, network: object?.spec.network ?? '',
    namespaces: new Set(namespaces.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(({ metadata }) => metadata?.name ?? '')),
    services: services.map(serviceFacts),
  };
}

/** What is said of a cluster: by a person's object where there is one, else by the one that onboarding left. */
function clusterObject(objects: readonly TsbObject[], name: string): TsbObject<{ network?: string }> | undefined {
  const found = objects.filter(({ metadata }) => metadata.name === name);
  const left = found.find(isOnboarding);
  return (found.find((object) => object !== left && (left === undefined || sameCluster(object, left))) ?? left) as TsbObject<{ network?: string }> | undefined;
}

function serviceFacts({ metadata, spec, status }: V1Service): ServiceFacts {
  const override = metadata?.annotations?.['xcp.tetrate.io/cluster-external-addresses'];
  return {
    name: metadata?.name ?? '', namespace: metadata?.namespace ?? '', labels: metadata?.labels ?? {}, selector: spec?.selector ?? {},
    ports: (spec?.ports ?? []).map(({ name, port, appProtocol }) => ({ name: name ?? '', port, ...(appProtocol === undefined ? {} : { appProtocol }) })),
    addresses: override?.split(',').map((address) => address.trim()) ?? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip])),
  };
}
