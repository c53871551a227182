import { ApisApi, ApiException, CustomObjectsApi, DiscoveryV1Api, KubeConfig, Observable } from '@kubernetes/client-node';
import { UserError } from '../../errors.ts';

/** The part of a KafkaBridge that the drill reads. */
export interface BridgeObject {
  metadata: { uid: string; resourceVersion: string; managedFields?: ManagedFields[] };
  spec?: { replicas?: number; producer?: { config?: Record<string, unknown> } };
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

/** Under this name the drill's changes stand in an object's managed fields. */
export const fieldManager = 'kbf-drill';
const group = 'kafka.strimzi.io';
const plural = 'kafkabridges';
/** An API server that does not answer within this is taken for away. */
const requestTimeoutMs = 10_000;

/** The few Kubernetes calls that the drill needs, on one bridge. Failures are UserErrors that name cluster and object. */
export class BridgeApi {
  readonly ref: BridgeRef;
  readonly #custom: CustomObjectsApi;
  readonly #discovery: DiscoveryV1Api;
  readonly #apis: ApisApi;
  #version: string | undefined;

  constructor(kubeconfig: string, ref: BridgeRef) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    if (!config.getContexts().some(({ name }) => name === ref.context)) {
      throw new UserError(`${kubeconfig} has no context ${ref.context}`, { exitCode: 2, remedy: 'name a kubeconfig that holds the contexts of every region' });
    }
    config.setCurrentContext(ref.context);
    this.ref = ref;
    this.#custom = config.makeApiClient(CustomObjectsApi);
    this.#discovery = config.makeApiClient(DiscoveryV1Api);
    this.#apis = config.makeApiClient(ApisApi);
  }

  /** The KafkaBridge, or undefined when there is none. */
  async read(): Promise<BridgeObject | undefined> {
    try {
      return await this.#ask('read', async (object) => (await this.#custom.getNamespacedCustomObject(object, bounded())) as BridgeObject);
    } catch (error) {
      if (error instanceof UserError && error.cause instanceof ApiException && error.cause.code === 404) return undefined;
      throw error;
    }
  }

  /** Sets the number of replicas through the scale subresource, under a field manager of the drill's own. */
  async scale(replicas: number): Promise<void> {
    await this.#ask('scaled', (object) =>
      // `add`, because a scale of 0 has no such member that could be replaced.
      this.#custom.patchNamespacedCustomObjectScale({ ...object, fieldManager, body: [{ op: 'add', path: '/spec/replicas', value: replicas }] }, bounded()));
  }

  /** Writes the ownership of fields, and nothing else. False when the object changed meanwhile. */
  async writeManagedFields({ metadata }: BridgeObject, managedFields: ManagedFields[]): Promise<boolean> {
    try {
      await this.#ask('written', (object) => this.#custom.patchNamespacedCustomObject({
        ...object, fieldManager,
        body: [
          { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
          { op: 'replace', path: '/metadata/managedFields', value: managedFields },
        ],
      }, bounded()));
      return true;
    } catch (error) {
      // A failed test is answered 422, a write that lost a race 409.
      if (error instanceof UserError && error.cause instanceof ApiException && [409, 422].includes(error.cause.code)) return false;
      throw error;
    }
  }

  /** Number of ready endpoints of the bridge's own Service. */
  async readyEndpoints(): Promise<number> {
    const { namespace, bridge } = this.ref;
    const slices = await this.#ask('asked for its endpoints', () => this.#discovery.listNamespacedEndpointSlice(
      { namespace, labelSelector: `kubernetes.io/service-name=${bridge}-bridge-service` }, bounded()));
    const ready = slices.items.flatMap(({ endpoints }) => endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return new Set(ready.flatMap(({ addresses }) => addresses)).size;
  }

  async #ask<T>(what: string, question: (object: ObjectPath) => Promise<T>): Promise<T> {
    const { context, namespace, bridge } = this.ref;
    try {
      this.#version ??= await this.#preferredVersion();
      return await question({ group, version: this.#version, namespace, plural, name: bridge });
    } catch (cause) {
      throw new UserError(`KafkaBridge ${namespace}/${bridge} in cluster ${context} cannot be ${what}: ${explain(cause)}`,
        { remedy: 'see that its API server answers and that your credentials may do this', cause });
    }
  }

  async #preferredVersion(): Promise<string> {
    const { groups } = await this.#apis.getAPIVersions({}, bounded());
    const strimzi = groups.find(({ name }) => name === group);
    const version = strimzi?.preferredVersion?.version ?? strimzi?.versions[0]?.version;
    if (version === undefined) throw new Error(`the cluster does not know ${group}; is Strimzi installed?`);
    return version;
  }
}

/** Kafka's own default, where a bridge does not set `delivery.timeout.ms`. */
const defaultDeliveryTimeoutMs = 120_000;

/** How long any of the bridges' producers may go on trying to write a record, ms. */
export async function deliveryTimeoutMs(kubeconfig: string, regions: readonly BridgeRef[]): Promise<number> {
  const timeouts = await Promise.all(regions.map(async ({ context, namespace, bridge }) => {
    const object = await new BridgeApi(kubeconfig, { context, namespace, bridge }).read();
    return Number(object?.spec?.producer?.config?.['delivery.timeout.ms'] ?? defaultDeliveryTimeoutMs);
  }));
  return Math.max(...timeouts);
}

interface ObjectPath {
  group: string;
  version: string;
  namespace: string;
  plural: string;
  name: string;
}

type CallOptions = NonNullable<Parameters<ApisApi['getAPIVersions']>[1]>;

function bounded(): CallOptions {
  return {
    middlewareMergeStrategy: 'append',
    middleware: [{
      pre: (context) => {
        context.setSignal(AbortSignal.timeout(requestTimeoutMs));
        return new Observable(Promise.resolve(context));
      },
      post: (context) => new Observable(Promise.resolve(context)),
    }],
  };
}

function explain(error: unknown): string {
  if (error instanceof ApiException) {
    const body: unknown = error.body;
    const text = typeof body === 'string' ? messageIn(body) : undefined;
    return `${error.code} ${text ?? String(body)}`;
  }
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function messageIn(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}
