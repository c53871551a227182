import { asRecord } from '../config/text.ts';
import { placementOf, placementType } from './placement.ts';
import type { Previous } from './previous.ts';

/** An object as the last run left it. */
export interface RunningObject {
  readonly kind: string;
  /** Of its API: `v1beta2`. */
  readonly version: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
  /** As it was when the last run was through with it. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** One component as the last run left it. */
export interface Running {
  /** Context of its cluster. */
  readonly cluster: string | undefined;
  /** What the component said of itself. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The namespace that the program made for it; undefined for one that was there before. */
  readonly namespace: string | undefined;
  /** By which Kubernetes tells that namespace from another of its name. */
  readonly namespaceUid: string | undefined;
  /** One of its objects, by its kind and its name in the program, whichever version of its API it was made by. */
  readonly object: (kind: Kind, name: string) => RunningObject | undefined;
  /** All of its objects of a kind. */
  readonly objects: (kind: Kind) => RunningObject[];
}

/** What each is called here, and by which kinds of which API it may have been made. */
const kinds = {
  Kafka: ['kafka.strimzi.io/v1:Kafka', 'kafka.strimzi.io/v1beta2:Kafka'],
  KafkaNodePool: ['kafka.strimzi.io/v1:KafkaNodePool'],
  KafkaTopic: ['kafka.strimzi.io/v1:KafkaTopic', 'kafka.strimzi.io/v1beta2:KafkaTopic'],
  KafkaBridge: ['kafka.strimzi.io/v1:KafkaBridge', 'kafka.strimzi.io/v1beta2:KafkaBridge'],
  Certificate: ['cert-manager.io/v1:Certificate'],
  Gateway: ['Gateway', 'IngressGateway', 'Tier1Gateway'].map((kind) => `install.tetrate.io/v1alpha1:${kind}`),
  Routes: ['Gateway', 'IngressGateway', 'Tier1Gateway'].map((kind) => `gateway.tsb.tetrate.io/v2:${kind}`),
  EnvoyFilter: ['networking.istio.io/v1alpha3:EnvoyFilter'],
  Secret: ['core/v1:Secret'],
  Tenant: ['tsb.tetrate.io/v2:Tenant'],
  Workspace: ['tsb.tetrate.io/v2:Workspace'],
  WorkspaceSetting: ['tsb.tetrate.io/v2:WorkspaceSetting'],
  OrganizationSetting: ['tsb.tetrate.io/v2:OrganizationSetting'],
  GatewayGroup: ['gateway.tsb.tetrate.io/v2:Group'],
  IstioInternalGroup: ['istiointernal.tsb.tetrate.io/v2:Group'],
} as const;

type Kind = keyof typeof kinds;

/** Gives what runs of a component, by its type and its name. */
export function runningIn(previous: Previous): (component: string, name: string) => Running {
  return (component, name) => {
    const type = `kbf:index:${component}`;
    const outputs = previous.outputsOf(type, name) ?? {};
    const outputsOf = (child: string, of: string) => previous.outputsOf(`${type}$kubernetes:${child}`, of);
    const made = (api: string, of: string): RunningObject[] => {
      const found = outputsOf(api, of);
      return found === undefined ? [] : [objectOf(api, found)];
    };
    const namespace = asRecord(outputsOf('core/v1:Namespace', `${name}-namespace`)?.['metadata']);
    return {
      // The component itself does not say it where it never was made in full.
      cluster: textOf(outputs['cluster']) ?? textOf(previous.outputsOf(`${type}$${placementType}`, placementOf(name))?.['cluster']),
      outputs,
      namespace: textOf(namespace['name']),
      namespaceUid: textOf(namespace['uid']),
      object: (kind, of) => kinds[kind].flatMap((api: string) => made(api, of))[0],
      objects: (kind) => kinds[kind].flatMap((api: string) => previous.names(`${type}$kubernetes:${api}`).flatMap((of) => made(api, of))),
    };
  };
}

/** @param type of its API and kind: `kafka.strimzi.io/v1:Kafka` */
function objectOf(type: string, outputs: Readonly<Record<string, unknown>>): RunningObject {
  const [, version = '', kind = ''] = type.split(/[/:]/);
  const { name, namespace, annotations } = asRecord(outputs['metadata']);
  return { kind, version, name: textOf(name), namespace: textOf(namespace), annotations: asRecord(annotations), spec: asRecord(outputs['spec']), status: asRecord(outputs['status']) };
}

/** Whether its operator was content with it. */
export function wasReady({ status: { conditions } }: RunningObject): boolean {
  return Array.isArray(conditions) && conditions.map(asRecord).some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** undefined for what is no text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
