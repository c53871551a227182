import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { Placement } from './placement.ts';

/** Says of a namespace which stack made it, and so deletes it with everything in it. */
export const ownerAnnotation = 'kafka-bridge-failover/stack';

/** The namespace of a component. */
export interface ComponentNamespace {
  readonly name: string;
  /** Context of its cluster. */
  readonly cluster: string;
  readonly labels?: Record<string, string>;
  /** Whether it is there before the program: see givenNamespaces. */
  readonly given: boolean;
}

/**
 * The name of a component's namespace, known when it is there with its labels. The program makes it, marked as this stack's, or writes nothing but
 * the labels to one that is given, and takes them away again. From then on the state says which cluster the component is in.
 */
export function ownNamespace(name: string, { cluster, ...namespace }: ComponentNamespace, opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource }): pulumi.Output<string> {
  const there = made(name, namespace, opts);
  new Placement(name, there.apply(() => cluster), opts.parent);
  return there;
}

function made(name: string, { given, ...metadata }: Omit<ComponentNamespace, 'cluster'>, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
  if (!given) return new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { ...metadata, annotations: { [ownerAnnotation]: pulumi.getStack() } } }, opts).metadata.name;
  if (metadata.labels === undefined) return pulumi.output(metadata.name);
  return new k8s.core.v1.NamespacePatch(`${name}-namespace`, { metadata }, opts).metadata.apply((labelled) => labelled.name ?? metadata.name);
}
