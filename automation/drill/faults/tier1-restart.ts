import { fieldManager } from '../cluster.ts';
import type { Fault } from './fault.ts';
import { deploymentPods } from './pods.ts';
import type { Target } from './target.ts';

interface Undo {
  /** The pods that are to be replaced. */
  before: string[];
}

/** The tier1 gateway's pods are replaced one by one, as `kubectl rollout restart` does. */
export const tier1Restart: Fault<Undo> = {
  name: 'tier1-restart',
  blastRadius: 'every pod of the tier1 gateway, which all requests go through, is replaced by a new one, as at an upgrade',
  needs: 'the right to patch tier1\'s Deployment',
  expects: { during: 'serves' },
  ends: 'by itself',
  describe: ({ tier1: { context, namespace, gateway } }) => `Deployment ${namespace}/${gateway} in cluster ${context}`,
  async prepare(target) {
    const { context, namespace } = target.tier1;
    await target.cluster(context).mustAllow([{ verb: 'patch', group: 'apps', resource: 'deployments', namespace }]);
    return { before: (await tier1Pods(target)).map(({ uid }) => uid) };
  },
  async inject(target) {
    const { context, namespace, gateway: name } = target.tier1;
    const cluster = target.cluster(context);
    const annotation = { 'kubectl.kubernetes.io/restartedAt': new Date().toISOString() };
    await cluster.ask(`Deployment ${namespace}/${name} cannot be restarted`, async () => {
      const { spec } = await cluster.apps.readNamespacedDeployment({ namespace, name });
      const annotations = { ...spec?.template.metadata?.annotations, ...annotation };
      await cluster.apps.patchNamespacedDeployment({ namespace, name, fieldManager, body: [{ op: 'add', path: '/spec/template/metadata/annotations', value: annotations }] });
    });
  },
  isEffective: async (target, { before }) => (await tier1Pods(target)).some(({ uid }) => !before.includes(uid)),
  // Begun, it is not to be held up: to put the annotation back would be another restart.
  heal: () => Promise.resolve(false),
  async isHealed(target, { before }) {
    const { context, namespace, gateway: name } = target.tier1;
    const cluster = target.cluster(context);
    const { metadata, spec, status } = await cluster.ask(`Deployment ${namespace}/${name} cannot be read`, () => cluster.apps.readNamespacedDeployment({ namespace, name }));
    const wanted = spec?.replicas ?? 1;
    const rolledOut = status?.observedGeneration === metadata?.generation && (status?.updatedReplicas ?? 0) >= wanted && (status?.availableReplicas ?? 0) >= wanted;
    return rolledOut && (await tier1Pods(target)).every(({ uid, leaving }) => !before.includes(uid) && !leaving);
  },
};

/** Those on their way out included: they may still serve. */
async function tier1Pods(target: Target): Promise<{ uid: string; leaving: boolean }[]> {
  const { context, namespace, gateway: name } = target.tier1;
  const cluster = target.cluster(context);
  const { labels } = await deploymentPods(cluster, { namespace, name });
  const { items } = await cluster.ask(`the pods ${labels} of namespace ${namespace} cannot be listed`, () => cluster.core.listNamespacedPod({ namespace, labelSelector: labels }));
  return items.map(({ metadata }) => ({ uid: metadata?.uid ?? '', leaving: metadata?.deletionTimestamp !== undefined }));
}
