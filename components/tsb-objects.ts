import type * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { TsbConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import type { ObjectReference } from './cluster-reader.ts';
import { accepted, untilReady } from './ready.ts';
import {
  GatewayGroup,
  IstioInternalGroup,
  OrganizationSetting,
  parentAnnotations,
  Tenant,
  TsbCluster,
  type TsbParents,
  Workspace,
  WorkspaceSetting,
  type WorkspaceSettingSpec,
} from './resources/tsb.ts';

/** What is above an object of a workspace. */
export interface WorkspaceParents {
  readonly organization: string;
  readonly tenant: pulumi.Output<string>;
  readonly workspace: pulumi.Output<string>;
}

/** A TSB object that the program makes, or one that exists. */
type OwnOrExisting = TsbConfiguration['tenant'];

export interface TsbPlace {
  /** What the names of the Pulumi resources begin with. */
  readonly logicalName: string;
  readonly cluster: Cluster;
  readonly organization: string;
  /** Where the objects lie. */
  readonly namespace: pulumi.Output<string>;
  readonly namespaceName: string;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen: string | undefined;
}

/** Makes the objects of TSB's hierarchy. What each returns is known when TSB has taken the object, so that children come later. */
export class TsbObjects {
  readonly #place: TsbPlace;
  readonly #parent: pulumi.Resource;

  constructor(place: TsbPlace, parent: pulumi.Resource) {
    this.#place = place;
    this.#parent = parent;
  }

  /**
   * TSB's record of a cluster. Its spec is replaced as a whole: what the program does not say of the cluster is not kept. The object stays when
   * the program has no more use for it, as without it the cluster would be onboarded no longer.
   */
  cluster(cluster: string, network: string): void {
    this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'Cluster', name: cluster }, this.#organization(), (metadata, options) => {
      return new TsbCluster(this.#logical(`cluster-${cluster}`), { metadata, spec: { network } }, { ...options, ...staying });
    }, overOthers);
  }

  /**
   * The organization's setting, of which there is one for everybody: its spec is replaced as a whole, and it stays.
   * @param name by which TSB knows it: by another it would be a second one
   * @param reachability from each network to those that it reaches
   */
  reachability(name: string, reachability: Readonly<Record<string, readonly string[]>>): void {
    const networkReachability = Object.fromEntries(Object.entries(reachability).map(([from, to]) => [from, to.join(',')]));
    this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'OrganizationSetting', name }, this.#organization(), (metadata, options) => {
      return new OrganizationSetting(this.#logical('organization'), { metadata, spec: { networkSettings: { networkReachability } } }, { ...options, ...staying });
    }, overOthers);
  }

  tenant({ name, existing }: OwnOrExisting): pulumi.Output<string> {
    if (existing) return pulumi.output(name);
    return this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'Tenant', name }, this.#organization(), (metadata, options) => {
      return new Tenant(this.#logical('tenant'), { metadata, spec: { displayName: name } }, options);
    });
  }

  /** @param role what it is for, in the program */
  workspace(role: string, { name, existing }: OwnOrExisting, content: { parents: Omit<WorkspaceParents, 'workspace'>; names: readonly pulumi.Input<string>[]; after?: pulumi.Input<pulumi.Resource[]> | undefined }): pulumi.Output<string> {
    const { parents, names, after = [] } = content;
    // What is below one that exists must not lose a region before either.
    if (existing) return pulumi.output(after).apply(() => name);
    return this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'Workspace', name }, parents, (metadata, options) => {
      return new Workspace(this.#logical(`workspace-${role}`), { metadata, spec: { namespaceSelector: { names } } }, { ...options, dependsOn: after });
    });
  }

  /** Settings that exist are the business of who made them; settings that say nothing are not made. */
  setting(role: string, { name, existing }: OwnOrExisting, { parents, spec }: { parents: WorkspaceParents; spec: WorkspaceSettingSpec }): void {
    if (existing || Object.keys(spec).length === 0) return;
    this.#make({ apiVersion: 'tsb.tetrate.io/v2', kind: 'WorkspaceSetting', name }, parents, (metadata, options) => {
      return new WorkspaceSetting(this.#logical(`setting-${role}`), { metadata, spec }, options);
    });
  }

  /** A group of gateways (BRIDGED: TSB writes the Istio objects). */
  gatewayGroup({ name, existing }: OwnOrExisting, parents: WorkspaceParents, names: readonly pulumi.Input<string>[]): pulumi.Output<string> {
    if (existing) return pulumi.output(name);
    return this.#make({ apiVersion: 'gateway.tsb.tetrate.io/v2', kind: 'Group', name }, parents, (metadata, options) => {
      return new GatewayGroup(this.#logical(`gateways-${name}`), { metadata, spec: { namespaceSelector: { names }, configMode: 'BRIDGED' } }, options);
    });
  }

  /** A group of Istio objects that are written by hand. */
  istioGroup(name: string, parents: WorkspaceParents, names: readonly pulumi.Input<string>[]): pulumi.Output<string> {
    return this.#make({ apiVersion: 'istiointernal.tsb.tetrate.io/v2', kind: 'Group', name }, parents, (metadata, options) => {
      return new IstioInternalGroup(this.#logical(`istio-${name}`), { metadata, spec: { namespaceSelector: { names } } }, options);
    });
  }

  #organization(): TsbParents {
    return { organization: this.#place.organization };
  }

  #logical(suffix: string): string {
    return `${this.#place.logicalName}-${suffix}`;
  }

  #make(object: Omit<ObjectReference, 'namespace'>, parents: TsbParents, make: Make, more: Readonly<Record<string, string>> = {}): pulumi.Output<string> {
    const { cluster, acceptedWhen, namespace, namespaceName } = this.#place;
    return untilReady({ ...object, namespace: namespaceName }, cluster, accepted(acceptedWhen), ({ annotations, options }) =>
      make({ name: object.name, namespace, annotations: { ...parentAnnotations(parents), ...more, ...annotations } }, { parent: this.#parent, ...options }),
    ).metadata.name;
  }
}

/** Others have these objects too: who takes this program's part away must not take theirs. */
const staying = { retainOnDelete: true };

/** One that stayed, or that others wrote, takes what the program says all the same. */
const overOthers = { 'pulumi.com/patchForce': 'true' };

type Make = (metadata: k8s.types.input.meta.v1.ObjectMeta, options: pulumi.CustomResourceOptions) => k8s.apiextensions.CustomResource;
