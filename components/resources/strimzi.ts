import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import type { CustomResourceArgs } from './custom-resource.ts';

const apiVersion = 'kafka.strimzi.io/v1';

export interface KafkaNodePoolSpec {
  readonly replicas: number;
  readonly roles: readonly ('controller' | 'broker')[];
  readonly storage: {
    readonly type: 'jbod';
    readonly volumes: readonly {
      readonly id: number;
      readonly type: 'persistent-claim';
      readonly size: string;
      readonly class?: string;
      readonly deleteClaim: boolean;
      readonly kraftMetadata: 'shared';
    }[];
  };
}

interface Probe {
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
}

export interface KafkaListener {
  readonly name: string;
  readonly port: number;
  readonly type: 'loadbalancer';
  readonly tls: true;
  readonly configuration: {
    readonly brokerCertChainAndKey: { readonly secretName: string; readonly certificate: string; readonly key: string };
    readonly bootstrap: { readonly annotations: Record<string, string> };
    readonly brokers: readonly { readonly broker: number; readonly advertisedHost: string; readonly annotations: Record<string, string> }[];
  };
}

export interface KafkaSpec {
  readonly kafka: {
    readonly version: string;
    readonly listeners: readonly KafkaListener[];
    readonly readinessProbe: Probe;
    readonly config: Record<string, string | number>;
  };
}

export interface KafkaBridgeSpec {
  readonly replicas: number;
  readonly bootstrapServers: pulumi.Input<string>;
  readonly tls: { readonly trustedCertificates: readonly { readonly secretName: string; readonly certificate: string }[] };
  readonly http: { readonly port: number };
  readonly config: Record<string, number>;
  readonly producer: { readonly config: Record<string, string | number | boolean> };
  readonly consumer: { readonly timeoutSeconds: number; readonly config: Record<string, string | number> };
  readonly readinessProbe: Probe;
  readonly template: {
    readonly apiService: { readonly metadata: { readonly labels: Record<string, string> } };
    readonly pod: { readonly metadata: { readonly labels: Record<string, string> } };
  };
}

export class KafkaNodePool extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<KafkaNodePoolSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion, kind: 'KafkaNodePool', ...args }, opts);
  }
}

export class Kafka extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<KafkaSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion, kind: 'Kafka', ...args }, opts);
  }
}

export class KafkaBridge extends k8s.apiextensions.CustomResource {
  constructor(name: string, args: CustomResourceArgs<KafkaBridgeSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion, kind: 'KafkaBridge', ...args }, opts);
  }
}
