import { fieldManager, statusOf } from './cluster.ts';
import type { Cluster } from './cluster.ts';

/** The part of a KafkaBridge that the drill reads. */
export interface BridgeObject {
  metadata: { uid: string; resourceVersion: string; managedFields?: ManagedFields[] };
  spec?: { replicas?: number };
}

/** Who owns which fields of an object, as the API server keeps it. */
export interface ManagedFields {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  subresource?: string;
  fieldsV1?: FieldSet;
  [other: string]: unknown;
}

export interface FieldSet {
  [field: string]: FieldSet;
}

/** Which bridge, and in which cluster. */
export interface BridgeRef {
  /** Context of the kubeconfig. */
  context: string;
  namespace: string;
  /** Name of the KafkaBridge. */
  bridge: string;
}

export const strimziGroup = 'kafka.strimzi.io';
const plural = 'kafkabridges';

/** The few Kubernetes calls that the drill needs, on one bridge. Failures are UserErrors that name cluster and object. */
export class BridgeApi {
  readonly ref: BridgeRef;
  readonly #cluster: Cluster;
  #version: string | undefined;

  constructor(cluster: Cluster, { namespace, bridge }: Omit<BridgeRef, 'context'>) {
    this.ref = { context: cluster.context, namespace, bridge };
    this.#cluster = cluster;
  }

  /** The KafkaBridge, or undefined when there is none. */
  async read(): Promise<BridgeObject | undefined> {
    try {
      return await this.#ask('read', async (object) => (await this.#cluster.custom.getNamespacedCustomObject(object)) as BridgeObject);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Sets the number of replicas through the scale subresource, under a field manager of the drill's own. */
  async scale(replicas: number): Promise<void> {
    await this.#ask('scaled', (object) =>
      // `add`, because a scale of 0 has no such member that could be replaced.
      this.#cluster.custom.patchNamespacedCustomObjectScale({ ...object, fieldManager, body: [{ op: 'add', path: '/spec/replicas', value: replicas }] }));
  }

  /** Writes the ownership of fields, and nothing else. False when the object changed meanwhile. */
  async writeManagedFields({ metadata }: BridgeObject, managedFields: ManagedFields[]): Promise<boolean> {
    return await unlessChanged(() => this.#ask('written', (object) => this.#cluster.custom.patchNamespacedCustomObject({
      ...object, fieldManager, body: ownershipPatch(metadata.resourceVersion, managedFields),
    })));
  }

  /** Number of ready endpoints of the bridge's own Service. */
  async readyEndpoints(): Promise<number> {
    const { namespace, bridge } = this.ref;
    const slices = await this.#ask('asked for its endpoints', () => this.#cluster.discovery.listNamespacedEndpointSlice(
      { namespace, labelSelector: `kubernetes.io/service-name=${bridge}-bridge-service` }));
    const ready = slices.items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return new Set(ready.flatMap(({ addresses }) => addresses)).size;
  }

  async #ask<T>(what: string, question: (object: ObjectPath) => Promise<T>): Promise<T> {
    const { namespace, bridge } = this.ref;
    return await this.#cluster.ask(`KafkaBridge ${namespace}/${bridge} cannot be ${what}`, async () => {
      this.#version ??= await strimziVersion(this.#cluster);
      return await question({ group: strimziGroup, version: this.#version, namespace, plural, name: bridge });
    });
  }
}

/** The version of Strimzi's API that a cluster prefers. Throws an Error where it has none. */
export async function strimziVersion(cluster: Cluster): Promise<string> {
  const { groups } = await cluster.apis.getAPIVersions({});
  const strimzi = groups.find(({ name }) => name === strimziGroup);
  const version = strimzi?.preferredVersion?.version ?? strimzi?.versions[0]?.version;
  if (version === undefined) throw new Error(`the cluster does not know ${strimziGroup}; is Strimzi installed?`);
  return version;
}

/** Writes the ownership of fields of an object that is still the one that was read. */
export function ownershipPatch(resourceVersion: string, managedFields: ManagedFields[]): object[] {
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: '/metadata/managedFields', value: managedFields },
  ];
}

/** Whether a conditional write was made; false when the object changed meanwhile. */
export async function unlessChanged(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    // A failed test is answered 422, a write that lost a race 409.
    if ([409, 422].includes(statusOf(error) ?? 0)) return false;
    throw error;
  }
}

interface ObjectPath {
  group: string;
  version: string;
  namespace: string;
  plural: string;
  name: string;
}
