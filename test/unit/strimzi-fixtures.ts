import assert from 'node:assert/strict';
import { ApiError, type Api, type CallOptions } from '../../sandbox/agent/api.ts';
import { KubernetesCluster } from '../../sandbox/operators/strimzi/cluster.ts';
import type { Kafka, KafkaBridge, KafkaNodePool, Secret, Written } from '../../sandbox/operators/strimzi/model.ts';
import { releases } from '../../sandbox/operators/strimzi/release.ts';

/** The newest release that the stand-in can be. */
export const release = releases.at(-1) ?? assert.fail('there is none');

/** A KafkaBridge as the program makes it. */
export function bridge(change: (bridge: KafkaBridge) => void = () => undefined): KafkaBridge {
  const resource: KafkaBridge = {
    apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge',
    metadata: { name: 'my', namespace: 'ns', uid: 'u1', resourceVersion: '1', generation: 3 },
    spec: {
      replicas: 2, bootstrapServers: 'bootstrap.kafka.example:9094', tls: { trustedCertificates: [{ secretName: 'ca', certificate: 'ca.crt' }] }, http: { port: 8080 },
      producer: { config: { acks: 'all', 'max.block.ms': 3000, 'ssl.truststore.location': '/x' } },
      consumer: { timeoutSeconds: 60, config: { 'session.timeout.ms': 6000, 'group.id': 'x' } },
      config: { 'bridge.executor.pool.size': 32, 'http.port': 1 },
      template: { apiService: { metadata: { labels: { failover: 'enabled' } } }, pod: { metadata: { labels: { local: 'true' } } } },
    },
  };
  change(resource);
  return resource;
}

/** A Kafka as the program makes it. */
export function kafka(change: (kafka: Kafka) => void = () => undefined): Kafka {
  const resource: Kafka = {
    apiVersion: 'kafka.strimzi.io/v1', kind: 'Kafka',
    metadata: { name: 'kafka', namespace: 'ns', uid: 'u2', resourceVersion: '1', generation: 1 },
    spec: {
      kafka: {
        version: '4.3.1',
        listeners: [{
          name: 'external', port: 9094, type: 'loadbalancer', tls: true,
          configuration: {
            brokerCertChainAndKey: { secretName: 'cert', certificate: 'tls.crt', key: 'tls.key' },
            bootstrap: { annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'bootstrap.kafka.example' } },
            brokers: [0, 1, 2].map((broker) => ({ broker, advertisedHost: `broker-${String(broker)}.kafka.example`, annotations: { 'external-dns.alpha.kubernetes.io/hostname': `broker-${String(broker)}.kafka.example` } })),
          },
        }],
        config: { 'default.replication.factor': 3, 'min.insync.replicas': 2, 'listeners': 'no' },
      },
    },
  };
  change(resource);
  return resource;
}

/** A node pool with both roles on jbod. */
export function pool(change: (pool: KafkaNodePool) => void = () => undefined): KafkaNodePool {
  const resource: KafkaNodePool = {
    apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaNodePool',
    metadata: { name: 'kafka', namespace: 'ns', uid: 'u3', resourceVersion: '1', generation: 1, labels: { 'strimzi.io/cluster': 'kafka' } },
    spec: { replicas: 3, roles: ['controller', 'broker'], storage: { type: 'jbod', volumes: [{ id: 0, type: 'persistent-claim', size: '1Gi', deleteClaim: false, kraftMetadata: 'shared' }] } },
  };
  change(resource);
  return resource;
}

export function secret(data: Record<string, string>): Secret {
  return { data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) };
}

/** A cluster that has these objects, by the end of their path in `ns`, e.g. `secrets/cert`, and keeps what is written. */
export function clusterOf(objects: Record<string, object>): { cluster: KubernetesCluster; has: (path: string) => Written & { data?: Record<string, string> } } {
  const kept = new Map(Object.entries(objects));
  const call = (method: string, path: string, { body }: CallOptions = {}): Promise<object> => {
    const end = /\/namespaces\/ns\/([^?]+)/.exec(path)?.[1] ?? assert.fail(path);
    if (method === 'PATCH') kept.set(end, body as object);
    const found = kept.get(end);
    return found === undefined ? Promise.reject(new ApiError(`${end} is not there`, 404, 'NotFound')) : Promise.resolve(found);
  };
  return { cluster: new KubernetesCluster({ call } as unknown as Api), has: (path) => (kept.get(path) ?? assert.fail(`${path} is not there`)) as ReturnType<ReturnType<typeof clusterOf>['has']> };
}

/** What a Secret holds under a key, as text. */
export function textIn({ data }: { data?: Record<string, string> }, key: string): string {
  return Buffer.from(data?.[key] ?? assert.fail(`no key ${key}`), 'base64').toString('utf8');
}

/** Kind and name of each object. */
export function names(objects: readonly Written[]): string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** The one object of a kind and name. */
export function find(objects: readonly Written[], kind: string, name: string): Written & { spec: Record<string, unknown>; data: Record<string, string> } {
  const found = objects.filter((each) => each.kind === kind && each.metadata.name === name);
  if (found.length !== 1) throw new Error(`${String(found.length)} objects ${kind} ${name} among ${names(objects).join(', ')}`);
  return found[0] as ReturnType<typeof find>;
}
