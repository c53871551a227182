/**
 * Stand-in for the Strimzi Cluster Operator, of the release that `--release` says: Kafka with node pools, KafkaBridge, KafkaTopic and KafkaUser, as far as its documentation goes
 * and the sandbox needs. It runs as the pod of the operator's Deployment, with that pod's rights. Names, labels, objects and conditions are
 * Strimzi's; what differs: control plane and replication between brokers are plain text, certificates are issued for clients only, and a field
 * that is not honoured is named in a Warning condition.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { inform, objectKey, type Informer } from '../../agent/informer.ts';
import { inClusterApi } from './api.ts';
import { reconcileBridge } from './bridge.ts';
import { KubernetesCluster } from './cluster.ts';
import { reconcileKafka } from './kafka.ts';
import type { Kafka, KafkaBridge, KafkaNodePool, KafkaTopic, KafkaUser, Resource } from './model.ts';
import { Reconciler, type Outcome, type ReconcilerOptions } from './reconciler.ts';
import { findRelease, releases } from './release.ts';
import { setPassword } from './scram.ts';
import { reconcileTopic, topicFinalizer } from './topic.ts';
import { reconcileUser } from './user.ts';

const { values: { release: version = '' } } = parseArgs({ options: { release: { type: 'string' } } });
const release = findRelease(version);
if (release === undefined) throw new Error(`--release ${version} is none that this stand-in can be: ${releases.map(({ operator }) => operator).join(', ')}`);
const stop = new AbortController();
const { signal } = stop;
const log = (line: string): void => { console.log(new Date().toISOString(), line); };
const api = inClusterApi();
const cluster = new KubernetesCluster(api);
// What others changed or deleted is set right with the next full reconciliation.
setInterval(() => { cluster.forget(); }, 120_000).unref();

const bridges = watched<KafkaBridge>('kafkabridges', (bridge) => reconcileBridge(cluster, bridge, release));
let partChanged: (part: KafkaNodePool | KafkaUser) => void = () => undefined;
const changed = (part: KafkaNodePool | KafkaUser): void => { partChanged(part); };
const pools = inform<KafkaNodePool>(api, { path: collection('kafkanodepools'), changed, deleted: changed, failed: failed('kafkanodepools') }, signal);
const creating = { type: 'NotReady', status: 'True', reason: 'Creating', message: 'Kafka cluster is being deployed' } as const;
const users = watched<KafkaUser>('kafkausers', (user) => reconcileUser(cluster, user, setPassword), { deleted: changed });
// A Kafka whose pools or users are not known yet would seem to have none.
await Promise.all([pools.synced, users.synced]);
const kafkas = watched<Kafka>('kafkas', (kafka) => reconcileKafka(cluster, kafka, { pools: [...pools.items.values()], users: () => users.items.values() }, release), { creating });
partChanged = ({ metadata: { namespace, labels } }) => { kafkas.changed(`${namespace}/${labels?.['strimzi.io/cluster'] ?? ''}`); };
const topics = watched<KafkaTopic>('kafkatopics', (topic) => reconcileTopic(cluster, topic), { finalizer: topicFinalizer });

let ready = false;
createServer((_request, response) => response.writeHead(ready ? 200 : 503).end()).listen(8080);
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => { stop.abort(); process.exit(0); });
await Promise.all([bridges, pools, kafkas, topics, users].map(({ synced }) => synced));
ready = true;
log(`${release.operator}: watching Kafka, KafkaNodePool, KafkaBridge, KafkaTopic and KafkaUser in all namespaces`);

interface Watched<T> extends Informer<T> {
  /** Has one looked at again. @param key `namespace/name` */
  readonly changed: (key: string) => void;
}

function watched<T extends Resource<unknown>>(plural: string, pass: (resource: T) => Promise<Outcome>, { deleted, ...more }: Pick<ReconcilerOptions<T>, 'creating' | 'finalizer'> & { deleted?: (resource: T) => void } = {}): Watched<T> {
  const reconciler = new Reconciler<T>({
    cluster, pass, log, signal, ...more,
    find: (key) => informer.items.get(key),
  });
  const informer = inform<T>(api, {
    path: collection(plural),
    // The operator's own writes of the status are no news.
    changed: (resource, before) => { if (before === undefined || says(before) !== says(resource)) reconciler.changed(objectKey(resource)); },
    ...(deleted === undefined ? {} : { deleted }),
    failed: failed(plural),
  }, signal);
  return { items: informer.items, synced: informer.synced, changed: (key) => { reconciler.changed(key); } };
}

function says({ metadata: { generation, labels, annotations, deletionTimestamp } }: Resource<unknown>): string {
  return JSON.stringify([generation, labels, annotations, deletionTimestamp]);
}

function collection(plural: string): string {
  return `/apis/kafka.strimzi.io/v1/${plural}`;
}

function failed(plural: string): (error: unknown) => void {
  return (error) => { log(`watching ${plural}: ${String(error)}; trying again`); };
}
