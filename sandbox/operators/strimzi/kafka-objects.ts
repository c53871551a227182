import { createHash } from 'node:crypto';
import { brokerConfig, brokerPaths, certificateFiles, listenerId, logDirectories } from './broker-config.ts';
import { advertisedAddress, type Exposed } from './kafka-services.ts';
import { internalPorts, kafkaComponent, poolMetadata, type KafkaNode, type KafkaPlan } from './kafka-plan.ts';
import { clientsCaFile } from './listener-authentication.ts';
import { labelsOf, metadataOf, ownerReference, selectorOf } from './labels.ts';
import { Failure, type KafkaNodePool, type Listener, type Resource, type Secret, type Volume, type Written } from './model.ts';

/** What the nodes' objects are made of, beside the plan. */
export interface KafkaFacts extends Exposed {
  readonly clusterId: string;
  /** Secrets with listener certificates, by name; those that are there. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** What clients' certificates are trusted by, PEM; undefined where no listener asks for any. */
  readonly clientsCa: string | undefined;
}

/** The objects that can be there before any address or certificate is known. */
export function kafkaBasics(plan: KafkaPlan): Written[] {
  const component = kafkaComponent(plan.kafka);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadataOf(component, component.name) },
    ...plan.nodes.flatMap((node) => claims(plan, node)),
  ];
}

/** Per node its Secret with listener certificates and its ConfigMap, and the budget for all. @throws Failure for a missing certificate */
export function kafkaNodeObjects(plan: KafkaPlan, facts: KafkaFacts): Written[] {
  const component = kafkaComponent(plan.kafka);
  const certificates = nodeCertificates(plan, facts);
  return [
    ...plan.nodes.map((node) => ({ apiVersion: 'v1', kind: 'Secret', metadata: poolMetadata(plan, node.pool, node.name, { labels: { 'strimzi.io/pod-name': node.name } }), type: 'Opaque', data: certificates })),
    ...plan.nodes.map((node) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: poolMetadata(plan, node.pool, node.name, { labels: { 'strimzi.io/pod-name': node.name } }), data: { ...configData(plan, node, facts), ...formatData(plan) } })),
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: metadataOf(component, component.name), spec: { maxUnavailable: 1, selector: { matchLabels: selectorOf(component) } } },
  ];
}

/** A pool's set of pods. Its pods are written apart, as its children. */
export function podSet(plan: KafkaPlan, pool: KafkaNodePool, pods: readonly Written[]): Written {
  const name = `${plan.kafka.metadata.name}-${pool.metadata.name}`;
  return {
    apiVersion: 'core.strimzi.io/v1', kind: 'StrimziPodSet', metadata: poolMetadata(plan, pool, name),
    spec: { selector: { matchLabels: { ...selectorOf(kafkaComponent(plan.kafka)), 'strimzi.io/pool-name': pool.metadata.name } }, pods },
  };
}

/** A node's pod; `strimzi.io/revision` changes with whatever needs another start. @param set the StrimziPodSet that owns it; left out for the pod as it stands in that set */
export function nodePod(plan: KafkaPlan, node: KafkaNode, facts: KafkaFacts, set?: Resource<unknown>): Written {
  const component = kafkaComponent(plan.kafka);
  const spec = podSpec(plan, node);
  const certificates = nodeCertificates(plan, facts);
  const hashes = { 'strimzi.io/configuration-hash': shortHash(JSON.stringify(configData(plan, node, facts))), 'strimzi.io/server-cert-hash': shortHash(JSON.stringify(certificates)) };
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name: node.name, namespace: plan.kafka.metadata.namespace,
      labels: {
        ...labelsOf(component), 'strimzi.io/pool-name': node.pool.metadata.name, 'strimzi.io/pod-name': node.name,
        'strimzi.io/broker-role': String(node.broker), 'strimzi.io/controller-role': String(node.controller),
        'strimzi.io/controller': 'strimzipodset', 'strimzi.io/controller-name': `${plan.kafka.metadata.name}-${node.pool.metadata.name}`,
      },
      annotations: { ...hashes, 'strimzi.io/kafka-version': plan.version, 'strimzi.io/revision': shortHash(JSON.stringify([spec, hashes])) },
      ...(set === undefined ? {} : { ownerReferences: [ownerReference(set, true)] }),
    },
    spec,
  };
}

/** The chain of a listener's own certificate, as its status shows it. */
export function listenerChain({ configuration }: Listener, secrets: ReadonlyMap<string, Secret>): string | undefined {
  const own = configuration?.brokerCertChainAndKey;
  const data = own === undefined ? undefined : secrets.get(own.secretName)?.data?.[own.certificate];
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
}

/** What a node's Secret holds. */
function nodeCertificates(plan: KafkaPlan, { secrets, clientsCa }: KafkaFacts): Record<string, string> {
  return { ...listenerCertificates(plan, secrets), ...(clientsCa === undefined ? {} : { [clientsCaFile]: Buffer.from(clientsCa).toString('base64') }) };
}

function listenerCertificates(plan: KafkaPlan, secrets: ReadonlyMap<string, Secret>): Record<string, string> {
  const errors: string[] = [];
  const found = plan.listeners.flatMap((listener) => {
    const own = listener.configuration?.brokerCertChainAndKey;
    if (own === undefined || !listener.tls) return [];
    const data = secrets.get(own.secretName)?.data;
    if (data === undefined) errors.push(`Secret ${own.secretName} with custom TLS certificate does not exist.`);
    else for (const [what, key] of [['certificate', own.certificate], ['private key', own.key]] as const) if (data[key] === undefined) errors.push(`Secret ${own.secretName} does not contain ${what} under the key ${key}.`);
    const files = certificateFiles(listener);
    return [[files.certificate, data?.[own.certificate] ?? ''], [files.key, data?.[own.key] ?? '']];
  });
  if (errors.length > 0) throw new Failure('InvalidResourceException', `Failed to process Secrets with custom certificates: [${errors.join(', ')}]`);
  return Object.fromEntries(found) as Record<string, string>;
}

const shortHash = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 8);

function configData(plan: KafkaPlan, node: KafkaNode, { clusterId, ...exposed }: KafkaFacts): Record<string, string> {
  const advertised = new Map(plan.listeners.map((listener) => [listenerId(listener), advertisedAddress(plan, listener, node, exposed)]));
  return { 'server.config': brokerConfig(plan, node, advertised), 'cluster.id': clusterId, 'log4j2.properties': 'name=KafkaConfig\nrootLogger.level=INFO\n' };
}

/** Read once, when a node's directory is made: no reason to start it anew. */
function formatData({ kafka }: KafkaPlan): Record<string, string> {
  const { metadataVersion } = kafka.spec.kafka;
  return metadataVersion === undefined ? {} : { 'metadata.version': metadataVersion };
}

function volumesOf({ pool }: KafkaNode): { name: string; volume: Omit<Volume, 'id'> }[] {
  const { storage } = pool.spec;
  return storage.type === 'jbod' ? storage.volumes.map((volume) => ({ name: `data-${String(volume.id)}`, volume })) : [{ name: 'data', volume: storage }];
}

function claims(plan: KafkaPlan, node: KafkaNode): Written[] {
  return volumesOf(node).filter(({ volume }) => volume.type === 'persistent-claim').map(({ name, volume }) => {
    const { ownerReferences, ...metadata } = poolMetadata(plan, node.pool, `${name}-${node.name}`, { labels: { 'strimzi.io/pod-name': node.name }, annotations: { 'strimzi.io/delete-claim': String(volume.deleteClaim ?? false) } });
    return {
      apiVersion: 'v1', kind: 'PersistentVolumeClaim',
      // A claim outlives its Kafka unless it is told otherwise.
      metadata: volume.deleteClaim === true ? { ...metadata, ownerReferences } : metadata,
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: volume.size ?? '1Gi' } }, ...(volume.class === undefined ? {} : { storageClassName: volume.class }) },
    };
  });
}

/** As kafka_run.sh of the real image takes them. */
function systemProperties({ kafka }: KafkaPlan): object[] {
  const properties = kafka.spec.kafka.jvmOptions?.javaSystemProperties ?? [];
  return properties.length === 0 ? [] : [{ name: 'STRIMZI_JAVA_SYSTEM_PROPERTIES', value: properties.map(({ name, value }) => `-D${name}=${value}`).join(' ') }];
}

function podSpec(plan: KafkaPlan, node: KafkaNode): object {
  const { kafka } = plan.kafka.spec;
  const { topologySpreadConstraints } = node.pool.spec.template?.pod ?? {};
  const volumes = volumesOf(node);
  const ports = [
    ...(node.controller ? [{ name: 'tcp-ctrlplane', containerPort: internalPorts.controlPlane }] : []),
    ...(node.broker ? [{ name: 'tcp-replication', containerPort: internalPorts.replication }, ...plan.listeners.map(({ name, port }) => ({ name: `tcp-${name}`, containerPort: port }))] : []),
  ];
  // The real one asks Kafka's agent. A broker takes connections only once the controller lets it serve, so that this says as much.
  const check = { tcpSocket: { port: node.broker ? internalPorts.replication : internalPorts.controlPlane }, initialDelaySeconds: 15, timeoutSeconds: 5 };
  return {
    hostname: node.name, subdomain: `${plan.kafka.metadata.name}-kafka-brokers`, serviceAccountName: `${plan.kafka.metadata.name}-kafka`,
    automountServiceAccountToken: false, restartPolicy: 'Always', terminationGracePeriodSeconds: 30,
    ...(topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints }),
    containers: [{
      name: 'kafka', image: `quay.io/strimzi/kafka:${plan.release.operator}-kafka-${plan.version}`, command: ['/opt/kafka/kafka_run.sh'],
      env: [{ name: 'STRIMZI_NODE_ID', value: String(node.id) }, { name: 'STRIMZI_LOG_DIRS', value: logDirectories(node).join(' ') }, ...systemProperties(plan)],
      ports: ports.map((port) => ({ ...port, protocol: 'TCP' })),
      // No liveness probe: the real one only looks whether the process lives, which its end says by itself.
      readinessProbe: { ...check, ...kafka.readinessProbe },
      ...(node.pool.spec.resources === undefined ? {} : { resources: node.pool.spec.resources }),
      volumeMounts: [
        ...volumes.map(({ name }) => ({ name, mountPath: `${brokerPaths.data}/${name}` })),
        { name: 'kafka-config', mountPath: brokerPaths.config }, { name: 'listener-certificates', mountPath: brokerPaths.certificates },
      ],
    }],
    volumes: [
      ...volumes.map(({ name, volume }) => (volume.type === 'ephemeral' ? { name, emptyDir: {} } : { name, persistentVolumeClaim: { claimName: `${name}-${node.name}` } })),
      { name: 'kafka-config', configMap: { name: node.name } }, { name: 'listener-certificates', secret: { secretName: node.name } },
    ],
  };
}
