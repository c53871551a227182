import type * as k8s from '@pulumi/kubernetes';

/** Arguments of a typed custom resource: its apiVersion and kind are the class's own. */
export interface CustomResourceArgs<Spec> {
  readonly metadata: k8s.types.input.meta.v1.ObjectMeta;
  readonly spec: Spec;
}
