import * as pulumi from '@pulumi/pulumi';

/**
 * Objects of which others are made: these go first, and the deletion waits for them. Not a KafkaBridge: nothing needs its pods to be gone, they drain
 * while brokers and gateways end, and namespaces wait for whatever is left.
 */
const ownersOfOthers = new Set([
  'kubernetes:core/v1:Namespace',
  'kubernetes:apps/v1:Deployment',
  'kubernetes:helm.sh/v3:Release',
  ...['v1', 'v1beta2'].map((version) => `kubernetes:kafka.strimzi.io/${version}:Kafka`),
  ...['Gateway', 'IngressGateway', 'Tier1Gateway'].map((kind) => `kubernetes:install.tetrate.io/v1alpha1:${kind}`),
]);

const annotation = 'pulumi.com/deletionPropagationPolicy';

/** Enough for volumes and for a cloud's load balancers; what takes longer is waited for by the next run. */
const ownersTimeout = '5m';

/**
 * Has the API server delete every other object of the stack at once, and waits no longer than five minutes for those. By default the
 * Kubernetes provider asks for a foreground deletion, which leaves even an object that owns nothing for the garbage collector to
 * finish a moment later; providers up to 4.23.0 can miss that moment, and then wait out the whole timeout, by default ten minutes,
 * for an object that is gone (pulumi/pulumi-kubernetes#3317, #3688). At its end they look once more, so that it succeeds even then.
 */
export function deleteQuickly(): void {
  pulumi.runtime.registerStackTransformation(quickDeletion);
}

/** The transformation itself; undefined leaves a resource as it is. */
export const quickDeletion: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!type.startsWith('kubernetes:')) return undefined;
  if (ownersOfOthers.has(type)) return { props, opts: { ...opts, customTimeouts: { delete: ownersTimeout, ...(opts as pulumi.CustomResourceOptions).customTimeouts } } };
  const metadata = props['metadata'] as { annotations?: Record<string, pulumi.Input<string>> } | undefined;
  return { props: { ...props, metadata: { ...metadata, annotations: { ...metadata?.annotations, [annotation]: 'background' } } }, opts };
};
