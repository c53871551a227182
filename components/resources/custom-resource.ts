import * as k8s from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';

/** Arguments of a typed custom resource: its apiVersion and kind are the class's own. */
export interface CustomResourceArgs<Spec> {
  readonly metadata: k8s.types.input.meta.v1.ObjectMeta;
  readonly spec: Spec;
}

type CustomResourceClass<Spec> = new (name: string, args: CustomResourceArgs<Spec>, opts: pulumi.CustomResourceOptions) => k8s.apiextensions.CustomResource;

/** What the class of one kind of custom resource extends. */
export function customResource<Spec>(apiVersion: string, kind: string): CustomResourceClass<Spec> {
  return class extends k8s.apiextensions.CustomResource {
    constructor(name: string, args: CustomResourceArgs<Spec>, opts: pulumi.CustomResourceOptions) {
      super(name, { apiVersion, kind, ...args }, opts);
    }
  };
}
