import * as pulumi from '@pulumi/pulumi';

/**
 * Objects of which others are made: these go first, and the deletion waits for them. Not a KafkaBridge: nothing needs its pods to be gone, they drain
 * while brokers and gateways end, and namespaces that are deleted wait for whatever is left.
 */
const ownersOfOthers = new Set([
  'kubernetes:core/v1:Namespace',
  'kubernetes:apps/v1:Deployment',
  'kubernetes:helm.sh/v3:Release',
  ...['v1', 'v1beta2'].map((version) => `kubernetes:kafka.strimzi.io/${version}:Kafka`),
  ...['Gateway', 'IngressGateway', 'Tier1Gateway'].map((kind) => `kubernetes:install.tetrate.io/v1alpha1:${kind}`),
]);

const annotation = 'pulumi.com/deletionPropagationPolicy';

/**
 * Has the API server delete every other object of the stack at once. By default the Kubernetes provider asks for a foreground deletion, which leaves
 * even an object that owns nothing for the garbage collector to finish a moment later.
 */
export function deleteQuickly(): void {
  pulumi.runtime.registerStackTransformation(quickDeletion);
}

/** The transformation itself; undefined leaves a resource as it is. */
export const quickDeletion: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  // A patch is of somebody else's object, which is not deleted.
  if (!type.startsWith('kubernetes:') || ownersOfOthers.has(type) || type.endsWith('Patch')) return undefined;
  const metadata = props['metadata'] as { annotations?: Record<string, pulumi.Input<string>> } | undefined;
  return { props: { ...props, metadata: { ...metadata, annotations: { ...metadata?.annotations, [annotation]: 'background' } } }, opts };
};
