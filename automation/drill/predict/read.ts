import { bridgeServices, serviceHost, strimziBridgeDeployment, strimziBridgeService } from '../../../config/names.ts';
import { Cluster } from '../cluster.ts';
import { strimziGroup, strimziVersion } from '../kubernetes.ts';
import type { AppliedConfiguration } from '../plan.ts';
import { objectName } from './configuration.ts';
import { bridgeSettings, hopSettings, kafkaSettings } from './extract.ts';
import type { PodLabels } from './filters.ts';
import { at } from './raw.ts';
import type { RawObject } from './raw.ts';

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
 */
export async function readConfiguration({ kubeconfig, outputs }: { kubeconfig: string; outputs: Places }): Promise<AppliedConfiguration> {
  const { hostname, regions, tier1, kafka } = outputs;
  const questions: [string, () => Promise<Settings>][] = [
    ...regions.flatMap(({ name, context, namespace, bridge, gateway }): typeof questions => [
      [objectName.bridge(name), async () => {
        const cluster = new Cluster(kubeconfig, context);
        const deployment = await cluster.askFor(`Deployment ${namespace}/${bridge}-bridge cannot be read`, () => cluster.apps.readNamespacedDeployment({ namespace, name: `${bridge}-bridge` }));
        return bridgeSettings(await strimziObject(cluster, { namespace, plural: 'kafkabridges', name: bridge }), deployment as RawObject | undefined);
      }],
      // Gateways reach a bridge through a Service of the program's own or through Strimzi's.
      [objectName.upstream(name), () => hop(new Cluster(kubeconfig, context), { namespace, proxy: gateway, behind: strimziBridgeDeployment(bridge) }, [serviceHost(bridgeServices(bridge).shared, namespace), serviceHost(strimziBridgeService(bridge), namespace)])],
    ]),
    ...(tier1 === undefined ? [] : [[objectName.tier1, () => hop(new Cluster(kubeconfig, tier1.context), { namespace: tier1.namespace, proxy: tier1.gateway }, [hostname])] satisfies (typeof questions)[number]]),
    ...kafkaQuestion(kubeconfig, kafka),
  ];
  return Object.fromEntries(await Promise.all(questions.map(async ([name, ask]): Promise<[string, Settings]> =>
    [name, await ask().catch((error: unknown) => ({ unreadable: error instanceof Error ? error.message : String(error) }))])));
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

/**
 * The first of the hosts that Istio was told something of.
 * @param place with the Deployments of the proxy, and of what is behind it in the same namespace
 */
async function hop(cluster: Cluster, { namespace, proxy, behind }: { namespace: string; proxy: string | undefined; behind?: string }, hosts: readonly string[]): Promise<Settings> {
  const [proxyLabels, hostLabels, destinationRules, virtualServices, envoyFilters] = await Promise.all([
    podLabels(cluster, namespace, proxy), podLabels(cluster, namespace, behind),
    istioObjects(cluster, namespace, 'destinationrules', ['v1', 'v1beta1']), istioObjects(cluster, namespace, 'virtualservices', ['v1', 'v1beta1']), istioObjects(cluster, namespace, 'envoyfilters', ['v1alpha3']),
  ]);
  for (const host of hosts) {
    const settings = hopSettings({ host, destinationRules, virtualServices, envoyFilters, proxyLabels, hostLabels });
    if (settings !== undefined) return { host, ...settings };
  }
  return { unreadable: `no DestinationRule in namespace ${namespace} of cluster ${cluster.context} names ${hosts.join(' or ')}` };
}

/** Undefined where there is no such Deployment, or it may not be read: the settings themselves are there without. */
async function podLabels(cluster: Cluster, namespace: string, deployment: string | undefined): Promise<PodLabels | undefined> {
  if (deployment === undefined) return undefined;
  const found = await cluster.apps.readNamespacedDeployment({ namespace, name: deployment }).catch(() => undefined);
  return at(found, 'spec', 'template', 'metadata', 'labels') as PodLabels | undefined;
}

async function istioObjects(cluster: Cluster, namespace: string, plural: string, versions: readonly string[]): Promise<RawObject[]> {
  for (const version of versions) {
    const found = await cluster.askFor(`${plural} of namespace ${namespace} cannot be read`, () =>
      cluster.custom.listNamespacedCustomObject({ group: 'networking.istio.io', version, namespace, plural }));
    if (found !== undefined) return (found as { items: RawObject[] }).items;
  }
  throw new Error(`cluster ${cluster.context} does not know ${plural} of networking.istio.io`);
}
