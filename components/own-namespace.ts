import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

/** Says of a namespace which stack made it, and so deletes it with everything in it. */
export const ownerAnnotation = 'kafka-bridge-failover/stack';

/** A namespace that the program makes, marked as this stack's. */
export function ownNamespace(name: string, metadata: { name: string; labels?: Record<string, string> }, opts: pulumi.CustomResourceOptions): k8s.core.v1.Namespace {
  return new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { ...metadata, annotations: { [ownerAnnotation]: pulumi.getStack() } } }, opts);
}
