import { bridgeServices, serviceHost, strimziBridgeDeployment, strimziBridgeService } from '../../../config/names.ts';
import { messageOf } from '../../../errors.ts';
import { Cluster } from '../cluster.ts';
import { strimziGroup, strimziVersion } from '../kubernetes.ts';
import type { AppliedConfiguration } from '../plan.ts';
import { objectName } from './configuration.ts';
import { bridgeSettings, hopSettings, kafkaSettings, takesRecords } from './extract.ts';
import type { HopObjects } from './extract.ts';
import type { PodLabels } from './filters.ts';
import { exportedRules, istioObjects, meshConfiguration, rootObjects } from './istio.ts';
import { at } from './raw.ts';
import type { RawObject } from './raw.ts';
import { ruleOf } from './rules.ts';

/** Where the stack's objects are. */
export interface Places {
  hostname: string;
  regions: readonly { name: string; context: string; namespace: string; bridge: string; gateway?: string | undefined }[];
  tier1?: { context: string; namespace: string; gateway?: string | undefined } | undefined;
  kafka?: { context?: string | undefined; namespace?: string | undefined; name?: string | undefined };
}

type Settings = AppliedConfiguration[string];

/**
 * The settings that bound a failover, as the clusters have them: what Istio was told (whoever told it), KafkaBridges and their Deployments, Kafka.
 * Never throws: an object that cannot be read has `unreadable` with the reason instead of its settings.
 * @param topic that records will be sent to, as routes may tell topics apart
 */
export async function readConfiguration({ kubeconfig, outputs, topic }: { kubeconfig: string; outputs: Places; topic?: string }): Promise<AppliedConfiguration> {
  const { hostname, regions, tier1, kafka } = outputs;
  const questions: [string, () => Promise<Settings>][] = [
    ...regions.flatMap(({ name, context, namespace, bridge, gateway }): typeof questions => [
      [objectName.bridge(name), async () => {
        const cluster = new Cluster(kubeconfig, context);
        const deployment = await cluster.askFor(`Deployment ${namespace}/${bridge}-bridge cannot be read`, () => cluster.apps.readNamespacedDeployment({ namespace, name: `${bridge}-bridge` }));
        return bridgeSettings(await strimziObject(cluster, { namespace, plural: 'kafkabridges', name: bridge }), deployment as RawObject | undefined);
      }],
      // Gateways reach a bridge through a Service of the program's own or through Strimzi's.
      [objectName.upstream(name), () => hop(new Cluster(kubeconfig, context), { namespace, hostname, topic, proxy: gateway, behind: strimziBridgeDeployment(bridge) }, [serviceHost(bridgeServices(bridge).shared, namespace), serviceHost(strimziBridgeService(bridge), namespace)])],
    ]),
    ...(tier1 === undefined ? [] : [[objectName.tier1, () => hop(new Cluster(kubeconfig, tier1.context), { namespace: tier1.namespace, hostname, topic, proxy: tier1.gateway }, [hostname])] satisfies (typeof questions)[number]]),
    ...kafkaQuestion(kubeconfig, kafka),
  ];
  return Object.fromEntries(await Promise.all(questions.map(async ([name, ask]): Promise<[string, Settings]> =>
    [name, await ask().catch((error: unknown) => ({ unreadable: messageOf(error) }))])));
}

/** Kafka that is not the stack's own has no object to be read. */
function kafkaQuestion(kubeconfig: string, { context, namespace, name }: NonNullable<Places['kafka']> = {}): [string, () => Promise<Settings>][] {
  if (context === undefined || namespace === undefined || name === undefined) return [];
  return [[objectName.kafka, async () => ({ ...kafkaSettings(await strimziObject(new Cluster(kubeconfig, context), { namespace, plural: 'kafkas', name })) })]];
}

/** An object of Strimzi's by its name. Throws a UserError that names it. */
export async function strimziObject(cluster: Cluster, object: { namespace: string; plural: string; name: string }): Promise<RawObject> {
  return await cluster.ask(`${object.plural} ${object.namespace}/${object.name} cannot be read`, async () =>
    await cluster.custom.getNamespacedCustomObject({ group: strimziGroup, version: await strimziVersion(cluster), ...object }) as RawObject);
}

/** A way to be read: whose proxies take it, and how the drill's requests come there. */
interface Way {
  namespace: string;
  /** Deployments of the proxy, and of what is behind it in the same namespace. */
  proxy: string | undefined;
  behind?: string;
  hostname: string;
  topic: string | undefined;
}

/** Where TSB keeps hosts that are in several clusters. */
const multiclusterNamespace = 'xcp-multicluster';

/** The first of the hosts that Istio was told something of; one that requests go to comes before the others. */
async function hop(cluster: Cluster, { namespace, proxy, behind, hostname, topic }: Way, hosts: readonly string[]): Promise<Settings> {
  const [proxyLabels, hostLabels, own] = await Promise.all([podLabels(cluster, namespace, proxy), podLabels(cluster, namespace, behind), istioObjects(cluster, namespace)]);
  const mesh = await meshConfiguration(cluster, proxyLabels?.['istio.io/rev']);
  const root = await rootObjects(cluster, mesh, namespace);
  // Where the proxy's namespace says nothing of a host, Istio asks the host's own, and its root namespace only where that is the same.
  const isHere = (host: string): boolean => host.endsWith(`.${namespace}.svc.cluster.local`);
  const further = async (host: string): Promise<readonly RawObject[]> => {
    if (isHere(host)) return root.destinationRules;
    return ruleOf(host, own.destinationRules, proxyLabels) === undefined ? await exportedRules(cluster, multiclusterNamespace, namespace) : [];
  };
  const objectsOf = async (host: string): Promise<HopObjects> => ({
    host, hostname, mesh, proxyLabels, hostLabels, ...own, root: { ...root, destinationRules: await further(host) }, ...(topic === undefined ? {} : { topic }),
  });
  const all = await Promise.all(hosts.map(objectsOf));
  for (const objects of [...all.filter(takesRecords), ...all]) {
    const settings = hopSettings(objects);
    if (settings !== undefined) return { host: objects.host, ...settings };
  }
  return { unreadable: `no DestinationRule in namespace ${namespace}${hosts.every(isHere) ? '' : ` or ${multiclusterNamespace}`} of cluster ${cluster.context} names ${hosts.join(' or ')}` };
}

/** Undefined where there is no such Deployment, or it may not be read: the settings themselves are there without. */
async function podLabels(cluster: Cluster, namespace: string, deployment: string | undefined): Promise<PodLabels | undefined> {
  if (deployment === undefined) return undefined;
  const found = await cluster.apps.readNamespacedDeployment({ namespace, name: deployment }).catch(() => undefined);
  return at(found, 'spec', 'template', 'metadata', 'labels') as PodLabels | undefined;
}

