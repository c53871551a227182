import type { V1Pod } from '@kubernetes/client-node';
import { Cluster } from './cluster.ts';
import { bridgePods, deploymentPods, livePods } from './faults/pods.ts';
import type { ProgramOutputs } from './options.ts';
import { strimziObject } from './predict/read.ts';
import type { Parts } from './report.ts';

/** Where the parts of a stack run. */
export type PartPlaces = Pick<ProgramOutputs, 'tier1'> & { kafka: Pick<ProgramOutputs['kafka'], 'context' | 'namespace' | 'name'>; regions: readonly Omit<ProgramOutputs['regions'][number], 'gatewayAddress'>[] };

/**
 * What a stack's clusters run, so that a reader of two reports can tell a change of version from one of settings. Never throws: what is not there, or may not be
 * read, is left out.
 */
export async function readParts({ kubeconfig, outputs }: { kubeconfig: string; outputs: PartPlaces }): Promise<Parts> {
  const { regions, tier1, kafka } = outputs;
  const contexts = new Set([kafka.context, ...regions.map(({ context }) => context), tier1?.context].filter((context) => context !== undefined));
  return await told(kubeconfig, [
    ofKafka(kafka),
    ...regions.flatMap(({ name, context, namespace, bridge, gateway }): Question[] => [
      [`kafka-bridge of ${name}`, context, async (cluster) => imagesOf(await livePods(cluster, bridgePods({ context, namespace, bridge })), `${bridge}-bridge`)],
      [`gateway of ${name}`, gateway && context, (cluster) => gatewayImage(cluster, { namespace, name: gateway ?? '' })],
    ]),
    ['gateway of tier1', tier1?.context, (cluster) => gatewayImage(cluster, { namespace: tier1?.namespace ?? '', name: tier1?.gateway ?? '' })],
    ...[...contexts].flatMap((context): Question[] => [
      [`kube-apiserver of cluster ${context}`, context, async (cluster) => (await cluster.version.getCode()).gitVersion],
      [`istiod of cluster ${context}`, context, async (cluster) => imagesOf(await podsAnywhere(cluster, 'app=istiod'), 'discovery')],
      [`strimzi-operator of cluster ${context}`, context, async (cluster) => imagesOf(await podsAnywhere(cluster, 'strimzi.io/kind=cluster-operator'), 'strimzi-cluster-operator')],
    ]),
  ]);
}

/**
 * What a sandbox has installed, with the Kafka that runs: of those that are installed pods have the one that their image's tag says. Never throws: where no cluster tells, as of a Kafka from
 * outside the program, it is left out.
 */
export async function withRunningKafka(installed: Parts, { kubeconfig, outputs }: { kubeconfig: string; outputs: Pick<PartPlaces, 'kafka'> }): Promise<Parts> {
  return { ...await told(kubeconfig, [ofKafka(outputs.kafka)]), ...besidesKafka(installed) };
}

/** The installed parts of which nobody has to ask whether they run. */
export function besidesKafka(installed: Parts): Parts {
  return Object.fromEntries(Object.entries(installed).filter(([name]) => name !== 'kafka' && name !== 'kafka-older'));
}

/** What a part is called, where it runs, and how its version is asked for. */
type Question = [name: string, context: string | undefined, ask: (cluster: Cluster) => Promise<string | undefined>];

async function told(kubeconfig: string, questions: readonly Question[]): Promise<Parts> {
  const parts = await Promise.all(questions.map(async ([name, context, ask]): Promise<[string, Parts[string]][]> => {
    try {
      const version = context && await ask(new Cluster(kubeconfig, context));
      return version === undefined ? [] : [[name, { kind: 'real', version }]];
    } catch {
      return [];
    }
  }));
  return Object.fromEntries(parts.flat());
}

function ofKafka(kafka: PartPlaces['kafka']): Question {
  return ['kafka', kafka.context, (cluster) => kafkaVersion(cluster, kafka)];
}

/** The version that Strimzi brought the brokers to last. */
async function kafkaVersion(cluster: Cluster, { namespace = '', name = '' }: PartPlaces['kafka']): Promise<string | undefined> {
  const { status } = await strimziObject(cluster, { namespace, plural: 'kafkas', name });
  return typeof status?.['kafkaVersion'] === 'string' ? status['kafkaVersion'] : undefined;
}

/** Of the pods, as injection may give a Deployment's its image. */
async function gatewayImage(cluster: Cluster, deployment: { namespace: string; name: string }): Promise<string | undefined> {
  return imagesOf(await livePods(cluster, await deploymentPods(cluster, deployment)), 'istio-proxy');
}

async function podsAnywhere(cluster: Cluster, labelSelector: string): Promise<V1Pod[]> {
  return (await cluster.core.listPodForAllNamespaces({ labelSelector })).items;
}

/**
 * The images of a container, or of the first where none has its name, with the digest of what was pulled: a tag can be moved. A container without one is not known to be what
 * its image is called.
 */
function imagesOf(pods: readonly V1Pod[], container: string): string | undefined {
  const images = pods.flatMap(({ spec, status }) => {
    const all = status?.containerStatuses ?? [];
    const found = all.find(({ name }) => name === container) ?? all.find(({ name }) => name === spec?.containers[0]?.name);
    const [digest] = /sha256:[0-9a-f]{12}/.exec(found?.imageID ?? '') ?? [];
    return digest === undefined ? [] : [`${found?.image.replace(/@.*/, '') ?? ''} (${digest})`];
  });
  return images.length === 0 ? undefined : [...new Set(images)].sort().join(', ');
}
