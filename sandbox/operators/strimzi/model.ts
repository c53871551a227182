import type { V1Deployment, V1Node, V1Pod, V1Secret, V1Service } from '@kubernetes/client-node';

/** An object as this operator writes it. */
export interface Written {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly object[];
  };
  readonly [field: string]: unknown;
}

/** A custom resource as the API server has it. */
export interface Resource<Spec> {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
  };
  spec: Spec;
  status?: Record<string, unknown> & { conditions?: Condition[]; observedGeneration?: number };
}

export interface Condition {
  readonly type: 'Ready' | 'NotReady' | 'Warning' | 'ReconciliationPaused';
  readonly status: 'True';
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Probe { initialDelaySeconds?: number; periodSeconds?: number; timeoutSeconds?: number; successThreshold?: number; failureThreshold?: number }
interface MetadataTemplate { metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> } }
export type Config = Record<string, unknown>;

/** How a bridge says to Kafka who it is, as far as this operator can have it do so. */
export type BridgeAuthentication =
  | { type: 'tls'; certificateAndKey?: { secretName: string; certificate: string; key: string } }
  | { type: 'scram-sha-512'; username: string; passwordSecret: { secretName: string; password: string } };

/** The fields of a KafkaBridge that this operator reads. */
export interface BridgeSpec {
  replicas: number;
  image?: string;
  bootstrapServers: string;
  tls?: { trustedCertificates?: { secretName: string; certificate?: string; pattern?: string }[] };
  authentication?: BridgeAuthentication | { type: 'scram-sha-256' | 'plain' | 'custom' };
  http?: { port?: number; cors?: { allowedOrigins: string[]; allowedMethods: string[] } };
  producer?: { enabled?: boolean; config?: Config };
  consumer?: { enabled?: boolean; timeoutSeconds?: number; config?: Config };
  adminClient?: { config?: Config };
  config?: Config;
  resources?: object;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  template?: {
    deployment?: MetadataTemplate & { deploymentStrategy?: 'RollingUpdate' | 'Recreate' };
    pod?: MetadataTemplate & { terminationGracePeriodSeconds?: number; hostAliases?: object[]; topologySpreadConstraints?: object[] };
    apiService?: MetadataTemplate;
    podDisruptionBudget?: MetadataTemplate & { maxUnavailable?: number };
    bridgeContainer?: { env?: { name: string; value?: string }[] };
  };
}
export type KafkaBridge = Resource<BridgeSpec>;

export interface Listener {
  name: string;
  port: number;
  type: 'internal' | 'loadbalancer' | 'cluster-ip' | 'nodeport' | 'route' | 'ingress' | 'tlsroute';
  tls: boolean;
  authentication?: { type: string };
  configuration?: {
    brokerCertChainAndKey?: { secretName: string; certificate: string; key: string };
    bootstrap?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    brokers?: { broker: number; advertisedHost?: string; advertisedPort?: number; labels?: Record<string, string>; annotations?: Record<string, string> }[];
  };
}

/** The fields of a Kafka that this operator reads. */
export interface KafkaSpec {
  kafka: { version?: string; metadataVersion?: string; listeners: Listener[]; config?: Config; readinessProbe?: Probe; jvmOptions?: { javaSystemProperties?: { name: string; value: string }[] } };
  clientsCa?: { generateCertificateAuthority?: boolean };
  entityOperator?: { topicOperator?: object; userOperator?: object };
}
export type Kafka = Resource<KafkaSpec>;

export interface Volume { id: number; type: 'persistent-claim' | 'ephemeral'; size?: string; class?: string; deleteClaim?: boolean; kraftMetadata?: 'shared' }

/** The fields of a KafkaNodePool that this operator reads. */
export interface PoolSpec {
  replicas: number;
  roles: ('controller' | 'broker')[];
  resources?: object;
  template?: { pod?: { topologySpreadConstraints?: object[] } };
  storage: { type: 'jbod'; volumes: Volume[] } | (Omit<Volume, 'id'> & { type: 'persistent-claim' | 'ephemeral' });
}
export type KafkaNodePool = Resource<PoolSpec>;

/** The fields of a KafkaTopic that this operator reads. */
export interface TopicSpec { topicName?: string; partitions?: number; replicas?: number; config?: Config }
export type KafkaTopic = Resource<TopicSpec>;

/** The fields of a KafkaUser that this operator reads. */
export interface UserSpec {
  authentication?: { type: 'tls' | 'tls-external' } | { type: 'scram-sha-512'; password?: { valueFrom?: { secretKeyRef?: { name?: string; key?: string } } } };
}
export type KafkaUser = Resource<UserSpec>;

/** Kubernetes' own objects, with times as they travel. */
export type Deployment = V1Deployment;
export type Node = V1Node;
export type Pod = V1Pod;
export type Secret = V1Secret;
export type Service = V1Service;

/** A failed reconciliation: `reason` is the simple name of the exception that the real operator would throw. */
export class Failure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
