import { isDeepStrictEqual } from 'node:util';
import { ApiError, type Api } from '../../agent/api.ts';
import { operatorName } from './labels.ts';
import type { Node, Resource, Written } from './model.ts';
import { differs } from './status.ts';

const plurals: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceaccounts', Service: 'services', Secret: 'secrets', ConfigMap: 'configmaps', PersistentVolumeClaim: 'persistentvolumeclaims', Pod: 'pods',
  Role: 'roles', RoleBinding: 'rolebindings', Deployment: 'deployments', PodDisruptionBudget: 'poddisruptionbudgets',
  StrimziPodSet: 'strimzipodsets', Kafka: 'kafkas', KafkaNodePool: 'kafkanodepools', KafkaBridge: 'kafkabridges', KafkaTopic: 'kafkatopics', KafkaUser: 'kafkausers',
};

/** Reads and writes objects of the cluster, one at a time. */
export class KubernetesCluster {
  readonly #api: Api;
  /** What was written last and for which resource (its uid), by path: nothing is written twice. Emptied now and then, so that what others changed is set right. */
  readonly #written = new Map<string, { object: Written; owner: string }>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** Writes a resource's objects by server-side apply, in their order; those that were written for it like this already are left alone. */
  async apply(objects: readonly Written[], { metadata: { uid: owner } }: Resource<unknown>): Promise<void> {
    for (const object of objects) {
      const path = pathOf(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
      if (isDeepStrictEqual(this.#written.get(path), { object, owner })) continue;
      await this.#api.call('PATCH', `${path}?fieldManager=${operatorName}&force=true`, { body: object, contentType: applyType });
      this.#written.set(path, { object, owner });
    }
  }

  /** Applies one object and answers what the API server made of it. */
  async applied<T>(object: Written): Promise<T> {
    const path = pathOf(object.apiVersion, object.kind, object.metadata.namespace, object.metadata.name);
    return this.#api.call('PATCH', `${path}?fieldManager=${operatorName}&force=true`, { body: object, contentType: applyType });
  }

  /** Forgets what was written, so that the next reconciliation writes everything anew. */
  forget(): void {
    this.#written.clear();
  }

  async create(object: Written): Promise<void> {
    await this.#api.call('POST', pathOf(object.apiVersion, object.kind, object.metadata.namespace), { body: object });
  }

  /** @returns undefined when it is not there */
  async get<T>(apiVersion: string, kind: string, namespace: string, name: string): Promise<T | undefined> {
    try {
      return await this.#api.call<T>('GET', pathOf(apiVersion, kind, namespace, name));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  async list<T>(apiVersion: string, kind: string, namespace: string, labelSelector: string): Promise<T[]> {
    return (await this.#api.call<{ items: T[] }>('GET', `${pathOf(apiVersion, kind, namespace)}?labelSelector=${encodeURIComponent(labelSelector)}`)).items;
  }

  async nodes(): Promise<Node[]> {
    return (await this.#api.call<{ items: Node[] }>('GET', '/api/v1/nodes')).items;
  }

  async delete(apiVersion: string, kind: string, namespace: string, name: string): Promise<void> {
    await this.#api.call('DELETE', pathOf(apiVersion, kind, namespace, name)).catch((error: unknown) => {
      if (!(error instanceof ApiError && error.code === 404)) throw error;
    });
  }

  async patch(resource: Resource<unknown>, change: object): Promise<void> {
    const { namespace, name } = resource.metadata;
    await this.#api.call('PATCH', pathOf(resource.apiVersion, resource.kind, namespace, name), { body: change, contentType: 'application/merge-patch+json' });
  }

  /** Writes a resource's whole status if it says anything new; answers whether it did. */
  async writeStatus(resource: Resource<unknown>, status: Record<string, unknown>): Promise<boolean> {
    if (!differs(resource.status, status)) return false;
    const { namespace, name } = resource.metadata;
    // Fields that are no longer said go away only when they are named.
    const gone = Object.fromEntries(Object.keys(resource.status ?? {}).filter((field) => !(field in status)).map((field) => [field, null]));
    await this.#api.call('PATCH', `${pathOf(resource.apiVersion, resource.kind, namespace, name)}/status`, { body: { status: { ...gone, ...status } }, contentType: 'application/merge-patch+json' });
    return true;
  }
}

// Server-side apply; JSON is YAML.
const applyType = 'application/apply-patch+yaml' as 'application/json';

function pathOf(apiVersion: string, kind: string, namespace: string, name?: string): string {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const plural = plurals[kind];
  if (plural === undefined) throw new Error(`${kind} is not a kind that this operator writes`);
  return `${root}/namespaces/${namespace}/${plural}${name === undefined ? '' : `/${name}`}`;
}
