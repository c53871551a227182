import { Failure, type Resource } from './model.ts';

/** Name of the operator in labels, of its Deployment and of its field manager. */
export const operatorName = 'strimzi-cluster-operator';

type Labels = Record<string, string>;

/** What a set of objects belongs to: a custom resource and one of its components. */
export interface Component {
  readonly owner: Resource<unknown>;
  readonly kind: 'Kafka' | 'KafkaBridge';
  /** `strimzi.io/name`, e.g. `my-bridge-bridge`. */
  readonly name: string;
  /** `strimzi.io/component-type`, also `app.kubernetes.io/name`. */
  readonly type: 'kafka' | 'kafka-bridge' | 'certificate-authority';
}

/**
 * The labels on everything that is written for a custom resource: its own, then Strimzi's.
 * @throws Failure when the resource carries labels of Strimzi's own
 */
export function labelsOf({ owner, kind, name, type }: Component): Labels {
  const own = Object.entries(owner.metadata.labels ?? {});
  const forbidden = own.filter(([key]) => key.startsWith('strimzi.io/') && key !== 'strimzi.io/cluster');
  if (forbidden.length > 0) {
    throw new Failure('IllegalArgumentException', `Labels starting with strimzi.io/ are not allowed in Custom Resources, such as Kafka, KafkaConnect, KafkaConnector, KafkaMirrorMaker2 or KafkaBridge: ${forbidden.map(([key]) => key).join(', ')}`);
  }
  return {
    ...Object.fromEntries(own.filter(([key]) => !/^(app\.kubernetes\.io\/(?!part-of)|kustomize\.toolkit\.fluxcd\.io)/.test(key))),
    ...selectorOf({ owner, kind, name }),
    'strimzi.io/component-type': type,
    'app.kubernetes.io/name': type,
    'app.kubernetes.io/instance': owner.metadata.name,
    'app.kubernetes.io/part-of': `strimzi-${owner.metadata.name}`,
    'app.kubernetes.io/managed-by': operatorName,
  };
}

/** The labels by which Services, Deployments and budgets select a component's pods. */
export function selectorOf({ owner, kind, name }: Omit<Component, 'type'>): Labels {
  return { 'strimzi.io/cluster': owner.metadata.name, 'strimzi.io/name': name, 'strimzi.io/kind': kind };
}

/** The metadata of an object that belongs to a custom resource and goes with it. */
export function metadataOf(component: Component, name: string, more: { labels?: Labels | undefined; annotations?: Labels | undefined } = {}): {
  name: string; namespace: string; labels: Labels; annotations?: Labels; ownerReferences: object[];
} {
  return {
    name,
    namespace: component.owner.metadata.namespace,
    labels: { ...labelsOf(component), ...more.labels },
    ...(more.annotations === undefined ? {} : { annotations: more.annotations }),
    ownerReferences: [ownerReference(component.owner)],
  };
}

export function ownerReference({ apiVersion, kind, metadata: { name, uid } }: Resource<unknown>, controller = false): object {
  return { apiVersion, kind, name, uid, controller, blockOwnerDeletion: true };
}
