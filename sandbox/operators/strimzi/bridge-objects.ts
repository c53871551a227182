import { createHash } from 'node:crypto';
import type { OperatorRelease } from '../../../config/versions.ts';
import { authenticationOf, credentialsSource } from './bridge-authentication.ts';
import { bridgeProperties } from './bridge-properties.ts';
import { labelsOf, metadataOf, selectorOf, type Component } from './labels.ts';
import { Failure, type KafkaBridge, type Secret, type Written } from './model.ts';
import { dataOf, valuesOf } from './secret-values.ts';

const managementPort = 8081;

/** What the bridge's objects are called. */
export function bridgeComponent(bridge: KafkaBridge): Component {
  return { owner: bridge, kind: 'KafkaBridge', name: `${bridge.metadata.name}-bridge`, type: 'kafka-bridge' };
}

/**
 * What would be a bridge other than the one that is asked for.
 * @throws Failure naming the field
 */
export function refuseUnlike(bridge: KafkaBridge): void {
  if (bridge.spec.http === undefined) throw new Failure('InvalidResourceException', 'The HTTP configuration for the bridge is not specified.');
  authenticationOf(bridge);
}

/** The objects that do not depend on what any Secret holds: they are there even when the rest fails. */
export function bridgeBasics(bridge: KafkaBridge): Written[] {
  const component = bridgeComponent(bridge);
  const { name } = component;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(component, name) },
    ...secretRights(component, bridge),
    service(bridge, component),
  ];
}

/** What a bridge's Secrets hold. */
export interface BridgeSecrets {
  /** The trusted certificates, PEM, one after the other; empty without TLS. */
  readonly trusted: string;
  /** What it shows Kafka of itself; empty when it shows nothing. */
  readonly credentials: string;
}

/** The objects that need what is in Secrets. @param release the operator that makes them */
export function bridgeWorkload(bridge: KafkaBridge, { trusted, credentials }: BridgeSecrets, release: OperatorRelease): Written[] {
  const component = bridgeComponent(bridge);
  const { template } = bridge.spec;
  const properties = bridgeProperties(bridge);
  return [
    ...(trusted === '' ? [] : [{
      apiVersion: 'v1', kind: 'Secret', metadata: metadataOf(component, trustedSecret(bridge)), type: 'Opaque',
      data: { 'ca.crt': Buffer.from(trusted).toString('base64') },
    }]),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadataOf(component, `${component.name}-config`), data: { 'application.properties': properties, 'log4j2.properties': logging } },
    deployment(bridge, component, bridge.spec.image ?? `quay.io/strimzi/kafka-bridge:${release.bridge}`, { 'strimzi.io/auth-hash': String((javaHash(trusted) + javaHash(credentials)) | 0), 'strimzi.io/configuration-hash': shortHash(properties) }),
    {
      apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadataOf(component, component.name, template?.podDisruptionBudget?.metadata),
      spec: { maxUnavailable: template?.podDisruptionBudget?.maxUnavailable ?? 1, selector: { matchLabels: selectorOf(component) } },
    },
  ];
}

/**
 * The trusted certificates of a bridge, one after the other.
 * @param secrets by name, those that are there
 * @throws Failure naming the Secret or the keys that are missing
 */
export function trustedCertificates(bridge: KafkaBridge, secrets: ReadonlyMap<string, Secret>): string {
  return (bridge.spec.tls?.trustedCertificates ?? []).map(({ secretName, certificate, pattern }) => {
    const { namespace } = bridge.metadata;
    const keys = pattern === undefined ? [certificate ?? ''] : Object.keys(dataOf(namespace, secretName, secrets)).filter((key) => glob(pattern).test(key)).sort();
    return valuesOf(namespace, secretName, keys, secrets).map(firstCertificate).join('\n');
  }).join('\n');
}

const trustedSecret = ({ metadata }: KafkaBridge): string => `${metadata.name}-bridge-tls-trusted-certs`;
const glob = (pattern: string): RegExp => new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`);
// As in the real operator, only the first certificate of a key counts.
const firstCertificate = (pem: string): string => /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(pem)?.[0] ?? pem;
const shortHash = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 8);

function javaHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

// The bridge reads its Secrets through the API with its own account.
function secretRights(component: Component, bridge: KafkaBridge): Written[] {
  const { name } = component;
  const own = credentialsSource(bridge)?.secretName;
  const resourceNames = [...((bridge.spec.tls?.trustedCertificates ?? []).length > 0 ? [trustedSecret(bridge)] : []), ...(own === undefined ? [] : [own])];
  return resourceNames.length === 0 ? [] : [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: metadataOf(component, name),
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames, verbs: ['get'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: metadataOf(component, `${name}-role`),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: bridge.metadata.namespace }],
    },
  ];
}

function service(bridge: KafkaBridge, component: Component): Written {
  const port = bridge.spec.http?.port ?? 8080;
  const { labels, annotations } = bridge.spec.template?.apiService?.metadata ?? {};
  const discovery = JSON.stringify([port, managementPort].map((each) => ({ port: each, tls: false, protocol: 'http', auth: 'none' })), null, 2);
  return {
    apiVersion: 'v1', kind: 'Service',
    metadata: metadataOf(component, `${component.name}-service`, { labels: { 'strimzi.io/discovery': 'true', ...labels }, annotations: { 'strimzi.io/discovery': discovery, ...annotations } }),
    spec: {
      type: 'ClusterIP', selector: selectorOf(component),
      ports: [
        { name: 'rest-api', port, protocol: 'TCP', targetPort: 'rest-api' },
        { name: 'rest-api-mgmt', port: managementPort, protocol: 'TCP', targetPort: 'rest-api-mgmt' },
      ],
    },
  };
}

function deployment(bridge: KafkaBridge, component: Component, image: string, hashes: Record<string, string>): Written {
  const { template = {}, replicas } = bridge.spec;
  const { labels: podLabels, annotations: podAnnotations } = template.pod?.metadata ?? {};
  const recreate = template.deployment?.deploymentStrategy === 'Recreate';
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: metadataOf(component, component.name, template.deployment?.metadata),
    spec: {
      replicas,
      selector: { matchLabels: selectorOf(component) },
      strategy: recreate ? { type: 'Recreate' } : { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { ...labelsOf(component), ...podLabels }, annotations: { ...hashes, ...podAnnotations } },
        spec: podSpec(bridge, component, image),
      },
    },
  };
}

function podSpec(bridge: KafkaBridge, { name }: Component, image: string): object {
  const { spec } = bridge;
  const { pod = {}, bridgeContainer = {} } = spec.template ?? {};
  const defaults = { initialDelaySeconds: 15, timeoutSeconds: 5 };
  return {
    serviceAccountName: name,
    terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds ?? 30,
    ...(pod.hostAliases === undefined ? {} : { hostAliases: pod.hostAliases }),
    ...(pod.topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints: pod.topologySpreadConstraints }),
    containers: [{
      name,
      image,
      command: ['/opt/strimzi/bin/docker/kafka_bridge_run.sh'],
      env: [{ name: 'STRIMZI_GC_LOG_ENABLED', value: 'false' }, ...(bridgeContainer.env ?? [])],
      ports: [{ name: 'rest-api', containerPort: spec.http?.port ?? 8080, protocol: 'TCP' }, { name: 'rest-api-mgmt', containerPort: managementPort, protocol: 'TCP' }],
      livenessProbe: { httpGet: { path: '/healthy', port: 'rest-api-mgmt' }, ...defaults, ...spec.livenessProbe },
      readinessProbe: { httpGet: { path: '/ready', port: 'rest-api-mgmt' }, ...defaults, ...spec.readinessProbe },
      ...(spec.resources === undefined ? {} : { resources: spec.resources }),
      volumeMounts: [{ name: 'strimzi-tmp', mountPath: '/tmp' }, { name: 'kafka-bridge-configurations', mountPath: '/opt/strimzi/custom-config/' }],
    }],
    volumes: [
      { name: 'strimzi-tmp', emptyDir: { medium: 'Memory', sizeLimit: '5Mi' } },
      { name: 'kafka-bridge-configurations', configMap: { name: `${name}-config` } },
    ],
  };
}

const logging = 'name=BridgeConfig\nrootLogger.level=INFO\n';
