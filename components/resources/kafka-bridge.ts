import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

import { apiVersion, type ResourceRequirements, type StrimziArgs, type TopologySpread } from './strimzi.ts';

type ClientConfig = Readonly<Record<string, string | number | boolean>>;

interface Probe {
  readonly initialDelaySeconds?: number | undefined;
  readonly periodSeconds?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly failureThreshold?: number | undefined;
}

/** How a bridge says to Kafka who it is; the secrets are named, never told. */
export type BridgeAuthentication =
  | { readonly type: 'tls'; readonly certificateAndKey: { readonly secretName: string; readonly certificate: string; readonly key: string } }
  | { readonly type: 'scram-sha-512' | 'scram-sha-256'; readonly username: string; readonly passwordSecret: { readonly secretName: string; readonly password: string } };

/** Metrics, by version of the API: v1 names an exporter and where its rules stand, v1beta2 only switches them on. */
export type BridgeMetrics =
  | { readonly enableMetrics: true }
  | { readonly metricsConfig: { readonly type: 'jmxPrometheusExporter'; readonly valueFrom: { readonly configMapKeyRef: { readonly name: string; readonly key: string } } } }
  | { readonly metricsConfig: { readonly type: 'strimziMetricsReporter' } };

export interface KafkaBridgeSpec {
  readonly replicas: number;
  /** Absent: the image of the operator's own version. */
  readonly image?: string;
  readonly bootstrapServers: pulumi.Input<string>;
  readonly tls: { readonly trustedCertificates: readonly { readonly secretName: string; readonly certificate: string }[] };
  readonly authentication?: BridgeAuthentication;
  readonly http: { readonly port: number };
  /** Of the bridge itself; since 1.0.0. */
  readonly config?: Readonly<Record<string, number>>;
  readonly producer: { readonly config: ClientConfig };
  /** `timeoutSeconds`: consumers without a request for so long go; since 0.42.0. */
  readonly consumer: { readonly timeoutSeconds?: number; readonly config: ClientConfig };
  readonly adminClient: { readonly config: ClientConfig };
  readonly resources?: ResourceRequirements;
  readonly logging?: { readonly type: 'inline'; readonly loggers: Readonly<Record<string, string>> };
  readonly metricsConfig?: Extract<BridgeMetrics, { metricsConfig: unknown }>['metricsConfig'];
  readonly enableMetrics?: true;
  readonly livenessProbe?: Probe;
  readonly readinessProbe: Probe;
  readonly template: {
    readonly apiService?: { readonly metadata: { readonly labels: Readonly<Record<string, string>> } };
    readonly pod: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
      readonly topologySpreadConstraints?: readonly TopologySpread[];
    };
    readonly podDisruptionBudget: { readonly maxUnavailable: number };
  };
}

export class KafkaBridge extends k8s.apiextensions.CustomResource {
  constructor(name: string, { api, ...args }: StrimziArgs<KafkaBridgeSpec>, opts: pulumi.CustomResourceOptions) {
    super(name, { apiVersion: apiVersion(api), kind: 'KafkaBridge', ...args }, opts);
  }
}
