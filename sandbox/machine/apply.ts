import type { KubernetesObject, V1APIResourceList } from '@kubernetes/client-node';
import type { Agent } from 'undici';
import { until } from '../process.ts';
import { call, getJson } from './api-client.ts';
import type { ClusterInfo } from './clusters.ts';

/** Applies objects to one cluster by server-side apply, as raw JSON: the client library's typed serialiser drops fields of definitions that it renames. */
export class Applier {
  readonly #http: Agent;
  readonly #cluster: ClusterInfo;
  readonly #resources = new Map<string, Promise<V1APIResourceList>>();

  constructor(http: Agent, cluster: ClusterInfo) {
    this.#http = http;
    this.#cluster = cluster;
  }

  /** Resolves when the object is stored; a definition, when its kind is served as well. */
  async apply(object: KubernetesObject): Promise<void> {
    const path = await this.#path(object);
    await call(this.#http, `${this.#cluster.apiServer}${path}?fieldManager=sandbox&force=true`, {
      method: 'PATCH', type: 'application/apply-patch+yaml', body: JSON.stringify(object),
    });
    if (object.kind === 'CustomResourceDefinition') await this.awaitCondition(object, 'Established', 120_000);
  }

  /** @throws Error with the object, its cluster and what it says of itself when the condition is not True in time */
  async awaitCondition(object: KubernetesObject, type: string, timeoutMs: number): Promise<void> {
    const url = this.#cluster.apiServer + await this.#path(object);
    let last: Conditioned = {};
    await until(async () => {
      last = await getJson<Conditioned>(this.#http, url);
      if (!last.status?.conditions?.some((c) => c.type === type && c.status === 'True')) throw new Error('not yet');
      if ((last.status.observedGeneration ?? Infinity) < (last.metadata?.generation ?? 0)) throw new Error('not yet');
    }, AbortSignal.timeout(timeoutMs)).catch(async () => {
      const said = last.status?.conditions?.map((c) => `${c.type}=${c.status} ${c.message ?? ''}`).join('; ') ?? 'no conditions';
      throw new Error(`${this.#describe(object)} is not ${type} after ${timeoutMs / 1000} s (${said})${await this.#podsOf(object, last)}`);
    });
  }

  #describe(object: KubernetesObject): string {
    const { namespace, name } = object.metadata ?? {};
    return `${object.kind ?? ''} ${namespace === undefined ? '' : `${namespace}/`}${name ?? ''} in cluster ${this.#cluster.name}`;
  }

  async #path(object: KubernetesObject): Promise<string> {
    const version = object.apiVersion ?? '';
    const base = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
    const resource = await this.#resource(base, object);
    const namespace = resource.namespaced ? `/namespaces/${object.metadata?.namespace ?? 'default'}` : '';
    return `${base}${namespace}/${resource.name}/${object.metadata?.name ?? ''}`;
  }

  /** A kind that was defined a moment ago may take another moment to be served. */
  async #resource(base: string, object: KubernetesObject): Promise<{ name: string; namespaced: boolean }> {
    const find = async () => {
      const list = this.#resources.get(base) ?? getJson<V1APIResourceList>(this.#http, this.#cluster.apiServer + base);
      this.#resources.set(base, list);
      const found = (await list.catch(() => undefined))?.resources.find((r) => r.kind === object.kind && !r.name.includes('/'));
      if (found !== undefined) return found;
      this.#resources.delete(base);
      throw new Error('not served');
    };
    let resource: { name: string; namespaced: boolean } | undefined;
    await until(async () => { resource = await find(); }, AbortSignal.timeout(5000)).catch(() => undefined);
    if (resource === undefined) throw new Error(`${this.#describe(object)}: this cluster serves no ${object.apiVersion ?? ''} ${object.kind ?? ''}`);
    return resource;
  }

  /** What the pods of a Deployment wait for: the cause usually stands there. */
  async #podsOf(object: KubernetesObject, last: Conditioned): Promise<string> {
    const labels = Object.entries(last.spec?.selector?.matchLabels ?? {}).map(([k, v]) => `${k}=${v}`).join(',');
    if (object.kind !== 'Deployment' || labels === '') return '';
    const url = `${this.#cluster.apiServer}/api/v1/namespaces/${object.metadata?.namespace ?? 'default'}/pods?labelSelector=${encodeURIComponent(labels)}`;
    const pods = await getJson<PodList>(this.#http, url).catch(() => undefined);
    if (pods === undefined) return '';
    return pods.items.map((pod) => `\n  pod ${pod.metadata?.name ?? ''}: ${pod.status?.phase ?? ''} ${JSON.stringify(pod.status?.containerStatuses?.map((s) => s.state) ?? [])}`).join('')
      || '\n  it has no pods';
  }
}

interface Conditioned {
  metadata?: { generation?: number };
  spec?: { selector?: { matchLabels?: Record<string, string> } };
  status?: { observedGeneration?: number; conditions?: { type: string; status: string; message?: string }[] };
}

interface PodList { items: { metadata?: { name?: string }; status?: { phase?: string; containerStatuses?: { state?: unknown }[] } }[] }
