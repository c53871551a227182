import { join } from 'node:path';
import { connectApi } from '../agent/api.ts';
import type { Api } from '../agent/api.ts';
import { eventRecorder } from '../agent/events.ts';
import type { Recorder } from '../agent/events.ts';
import { inform, objectKey } from '../agent/informer.ts';
import type { Informer } from '../agent/informer.ts';
import { isOutdated, untilAnswered } from '../agent/retry.ts';
import type { ClusterInfo } from '../machine/clusters.ts';
import type { BalancerAddresses } from './addresses.ts';
import { listenersOf, unhonoured } from './endpoints.ts';
import type { EndpointSlice, Service } from './endpoints.ts';
import { aliases, clusterNames, publishedNames } from './host-names.ts';
import type { HostLine } from './host-names.ts';
import { Proxy, key } from './proxy.ts';

export interface ClusterBalancerOptions {
  readonly dir: string;
  readonly cluster: ClusterInfo;
  readonly addresses: BalancerAddresses;
  /** Host names may be others now. */
  readonly namesChanged: () => void;
  readonly signal: AbortSignal;
}

/** The Services of one cluster: what listens for them, their load balancer addresses, their names. */
export class ClusterBalancer {
  readonly cluster: ClusterInfo;
  readonly #addresses: BalancerAddresses;
  readonly #namesChanged: () => void;
  readonly #over: AbortSignal;
  readonly #api: Api;
  readonly #recorder: Recorder;
  /** By the Service's key, then by address and port. */
  readonly #proxies = new Map<string, Map<string, Proxy>>();
  #silent: ReadonlySet<string> = new Set();
  /** By the key of the Service that they belong to, then by their own. */
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  #services: Informer<Service> | undefined;

  constructor({ dir, cluster, addresses, namesChanged, signal }: ClusterBalancerOptions) {
    this.cluster = cluster;
    this.#addresses = addresses;
    this.#namesChanged = namesChanged;
    this.#over = signal;
    this.#api = connectApi(join(dir, 'clusters', cluster.name, 'loadbalancer.kubeconfig'));
    this.#recorder = eventRecorder(this.#api, 'load-balancer', `${cluster.name}-node`);
  }

  /** Resolves when all Services and endpoints that there are have been seen. */
  async start(): Promise<void> {
    const signal = this.#over;
    const failed = (error: unknown) => { console.error(`watch (${this.cluster.name}): ${String(error)}`); };
    const slices = inform<EndpointSlice>(this.#api, {
      path: '/apis/discovery.k8s.io/v1/endpointslices', failed,
      changed: (slice) => { this.#sliceChanged(slice, slice); }, deleted: (slice) => { this.#sliceChanged(slice, undefined); },
    }, signal);
    this.#services = inform<Service>(this.#api, {
      path: '/api/v1/services', failed,
      changed: (service) => { this.#serviceChanged(service); }, deleted: (service) => { this.#serviceDeleted(service); },
    }, signal);
    await Promise.all([slices.synced, this.#services.synced]);
    this.#addresses.keepOnly(this.cluster, this.#uids());
    // Slices may have come before their Services.
    for (const service of this.#services.items.values()) this.#settle(service);
  }

  /** Pods of these addresses answer nobody. */
  setSilent(ips: ReadonlySet<string>): void {
    this.#silent = ips;
    for (const proxies of this.#proxies.values()) for (const proxy of proxies.values()) proxy.setSilent(ips);
  }

  /** Names that ExternalDNS would publish, for all clusters. */
  publishedNames(): HostLine[] {
    return this.#all().flatMap((service) => publishedNames(service, this.#balancerIp(service), this.cluster.nodeIp));
  }

  /** Names of this cluster alone. @param global Those that all clusters have. */
  clusterNames(global: readonly HostLine[]): HostLine[] {
    const own = this.#all().flatMap((service) => clusterNames(service, this.#slicesOf(service)));
    return [...own, ...this.#all().flatMap((service) => aliases(service, [...own, ...global]))];
  }

  #all(): Service[] {
    return [...this.#services?.items.values() ?? []];
  }

  #uids(): Set<string> {
    return new Set(this.#all().map(({ metadata }) => metadata.uid));
  }

  #sliceChanged({ metadata }: EndpointSlice, now: EndpointSlice | undefined): void {
    const owner = `${metadata.namespace ?? ''}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
    const slices = this.#slices.get(owner) ?? new Map<string, EndpointSlice>();
    if (now === undefined) slices.delete(metadata.name);
    else slices.set(metadata.name, now);
    if (slices.size === 0) this.#slices.delete(owner);
    else this.#slices.set(owner, slices);
    const service = this.#services?.items.get(owner);
    if (service !== undefined) this.#settle(service);
  }

  #serviceChanged(service: Service): void {
    const ignored = unhonoured(service);
    if (ignored.length > 0) this.#recorder.event({ ...service, kind: 'Service' }, 'Warning', 'NotHonoured', `The sandbox's load balancer serves this without ${ignored.join(', ')}`);
    this.#settle(service);
    const what = `address of ${objectKey(service)} (${this.cluster.name})`;
    // A newer version of the Service gets its address by its own event.
    const pointless = () => this.#services?.items.get(objectKey(service))?.metadata.resourceVersion !== service.metadata.resourceVersion;
    void untilAnswered(() => this.#publishAddress(service), { signal: this.#over, what, pointless }).then((refusal) => {
      if (refusal !== undefined && !isOutdated(refusal)) console.error(`${what}: ${refusal.message}`);
    });
  }

  #serviceDeleted(service: Service): void {
    for (const proxy of this.#proxies.get(objectKey(service))?.values() ?? []) proxy.close();
    this.#proxies.delete(objectKey(service));
    this.#addresses.keepOnly(this.cluster, this.#uids());
    this.#namesChanged();
  }

  /** Brings what listens in line with the Service and its endpoints. */
  #settle(service: Service): void {
    const before = this.#proxies.get(objectKey(service)) ?? new Map<string, Proxy>();
    const after = new Map<string, Proxy>();
    for (const { at, endpoints } of listenersOf(service, this.#slicesOf(service), this.cluster.nodeIp, this.#balancerIp(service))) {
      const proxy = before.get(key(at)) ?? new Proxy(at, (message) => {
        console.error(`${objectKey(service)} (${this.cluster.name}): ${message}`);
        this.#recorder.event({ ...service, kind: 'Service' }, 'Warning', 'ListenFailed', message);
      });
      proxy.setSilent(this.#silent);
      proxy.setEndpoints(endpoints);
      after.set(key(at), proxy);
    }
    for (const [at, proxy] of before) if (!after.has(at)) proxy.close();
    this.#proxies.set(objectKey(service), after);
    this.#namesChanged();
  }

  #slicesOf(service: Service): EndpointSlice[] {
    return [...this.#slices.get(objectKey(service))?.values() ?? []];
  }

  #balancerIp({ metadata, spec }: Service): string | undefined {
    return spec.type === 'LoadBalancer' && spec.loadBalancerClass === undefined ? this.#addresses.of(this.cluster, metadata.uid) : undefined;
  }

  async #publishAddress(service: Service): Promise<void> {
    const ip = this.#balancerIp(service);
    const known = service.status?.loadBalancer?.ingress ?? [];
    if (ip === known[0]?.ip && known.length === (ip === undefined ? 0 : 1)) return;
    if (ip === undefined && service.spec.loadBalancerClass !== undefined) return;
    const { name, namespace = 'default', uid } = service.metadata;
    // Null takes the list away; the uid makes the API server refuse it for a later Service of the name.
    const ingress = ip === undefined ? null : [{ ip, ipMode: 'VIP' }];
    await this.#api.call('PATCH', `/api/v1/namespaces/${namespace}/services/${name}/status`, {
      contentType: 'application/merge-patch+json', body: { metadata: { uid }, status: { loadBalancer: { ingress } } },
    });
    if (ip !== undefined) this.#recorder.event({ ...service, kind: 'Service' }, 'Normal', 'EnsuredLoadBalancer', `Ensured load balancer at ${ip}`);
  }
}
