import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

/** Says of a namespace which stack made it, and so deletes it with everything in it. */
export const ownerAnnotation = 'kafka-bridge-failover/stack';

/** The namespace of a component. */
export interface ComponentNamespace {
  readonly name: string;
  readonly labels?: Record<string, string>;
  /** Whether it is there before the program: see givenNamespaces. */
  readonly given: boolean;
}

/**
 * The name of a component's namespace, known when it is there with its labels. The program makes it, marked as this stack's, or writes nothing but
 * the labels to one that is given, and takes them away again.
 */
export function ownNamespace(name: string, { given, ...metadata }: ComponentNamespace, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  if (!given) return new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { ...metadata, annotations: { [ownerAnnotation]: pulumi.getStack() } } }, opts).metadata.name;
  if (metadata.labels === undefined) return pulumi.output(metadata.name);
  return new k8s.core.v1.NamespacePatch(`${name}-namespace`, { metadata }, opts).metadata.apply((labelled) => labelled.name ?? metadata.name);
}
