import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import type { CustomResourceArgs } from './custom-resource.ts';

/** v1beta2 is what operators up to 0.48 serve; v1 came with 0.49, and from 1.0 on there is nothing else. */
export type StrimziApi = 'v1' | 'v1beta2';

export interface StrimziArgs<Spec> extends CustomResourceArgs<Spec> {
  /** Absent: v1. */
  readonly api?: StrimziApi;
}

export interface PersistentClaim {
  readonly type: 'persistent-claim';
  readonly size: string;
  readonly class?: string;
  readonly deleteClaim: boolean;
}

export interface JbodStorage {
  readonly type: 'jbod';
  readonly volumes: readonly (PersistentClaim & { readonly id: number; readonly kraftMetadata?: 'shared' })[];
}

interface Amounts {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
}

export interface ResourceRequirements {
  readonly requests?: Amounts | undefined;
  readonly limits?: Amounts | undefined;
}

/** Of a pod template. */
export interface TopologySpread {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly whenUnsatisfiable: 'ScheduleAnyway';
  readonly labelSelector: { readonly matchLabels: Readonly<Record<string, string>> };
}

export interface KafkaNodePoolSpec {
  readonly replicas: number;
  readonly roles: readonly ('controller' | 'broker')[];
  readonly storage: JbodStorage;
  readonly resources?: ResourceRequirements;
  readonly template: { readonly pod: { readonly topologySpreadConstraints?: readonly TopologySpread[] } };
}

interface Probe {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
}

/** Where brokers find a listener's certificate chain and its key. */
export interface CertificateSecret {
  readonly secretName: pulumi.Input<string>;
  readonly certificate: string;
  readonly key: string;
}

export interface KafkaListener {
  readonly name: string;
  readonly port: number;
  readonly type: 'loadbalancer' | 'route' | 'nodeport' | 'ingress' | 'internal';
  readonly tls: boolean;
  readonly authentication?: { readonly type: 'tls' | 'scram-sha-512' };
  readonly configuration?: KafkaListenerConfiguration;
}

export interface KafkaListenerConfiguration {
  readonly brokerCertChainAndKey?: CertificateSecret;
  /** Ingress class or load balancer class. */
  readonly class?: string;
  readonly bootstrap?: {
    /** Of a Route or Ingress. */
    readonly host?: string;
    readonly annotations?: Record<string, string>;
    /** Further names in a certificate that the operator issues. */
    readonly alternativeNames?: readonly string[];
  };
  readonly brokers?: readonly {
    readonly broker: number;
    /** Of a Route or Ingress. */
    readonly host?: string;
    readonly advertisedHost?: string;
    readonly annotations?: Record<string, string>;
  }[];
}

export interface KafkaSpec {
  readonly kafka: {
    readonly version: string;
    readonly metadataVersion?: string;
    readonly listeners: readonly KafkaListener[];
    readonly readinessProbe?: Probe;
    readonly jvmOptions?: { readonly javaSystemProperties: readonly { readonly name: string; readonly value: string }[] };
    readonly config: Record<string, string | number | boolean>;
    /** With v1 these three are the node pool's. */
    readonly replicas?: number;
    readonly storage?: JbodStorage;
    readonly resources?: ResourceRequirements;
  };
  /** Only with v1beta2. */
  readonly zookeeper?: { readonly replicas: number; readonly storage: PersistentClaim };
  /** Absent: Strimzi makes a CA of its own. */
  readonly clientsCa?: { readonly generateCertificateAuthority: false };
  readonly entityOperator?: { readonly topicOperator?: Record<string, never>; readonly userOperator?: Record<string, never> };
}

export interface KafkaTopicSpec {
  /** Absent: the resource's own name. */
  readonly topicName?: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly config: Record<string, string | number | boolean>;
}

export interface KafkaUserSpec {
  readonly authentication: { readonly type: 'scram-sha-512'; readonly password: { readonly valueFrom: { readonly secretKeyRef: { readonly name: string; readonly key: string } } } };
}

export class KafkaNodePool extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<KafkaNodePoolSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: apiVersion('v1'), kind: 'KafkaNodePool', ...args }, opts);
  }
}

export class Kafka extends k8s.apiextensions.CustomResource {
  constructor(name: string, { api, ...args }: StrimziArgs<KafkaSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: apiVersion(api), kind: 'Kafka', ...args }, opts);
  }
}

export class KafkaTopic extends k8s.apiextensions.CustomResource {
  constructor(name: string, { api, ...args }: StrimziArgs<KafkaTopicSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: apiVersion(api), kind: 'KafkaTopic', ...args }, opts);
  }
}

export class KafkaUser extends k8s.apiextensions.CustomResource {
  constructor(name: string, { api, ...args }: StrimziArgs<KafkaUserSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: apiVersion(api), kind: 'KafkaUser', ...args }, opts);
  }
}

/** `kafka.strimzi.io/v1`, as objects say it. */
export function apiVersion(api: StrimziApi = 'v1'): string {
  return `kafka.strimzi.io/${api}`;
}
