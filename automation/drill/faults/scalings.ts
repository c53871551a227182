import type { V1Deployment } from '@kubernetes/client-node';
import { watchedBy } from '../../../components/operator-deployment.ts';
import type { Cluster } from '../cluster.ts';
import { strimziGroup } from '../kubernetes.ts';
import type { Fault } from './fault.ts';
import { livePods } from './pods.ts';
import type { Selection } from './pods.ts';
import { beforeScaling, bridgeReplicas, deploymentReplicas, scaleBack } from './scalable.ts';
import type { Scaled } from './scalable.ts';
import { refuse } from './target.ts';
import type { Target } from './target.ts';
import { together } from './together.ts';

const bridgeNeeds = 'patching the KafkaBridge and its scale subresource';

/** The region's KafkaBridge is scaled to no replicas, through its resource, as a person would. */
export const bridgeScale0: Fault<Scaled> = {
  name: 'bridge-scale-0',
  blastRadius: 'every bridge pod of one region is stopped in order; its gateway stays',
  needs: bridgeNeeds,
  expects: { during: 'silent' },
  ends: 'healed',
  describe: ({ bridge }) => bridgeReplicas(bridge).title,
  prepare: beforeBridge,
  inject: ({ bridge }) => bridge.scale(0),
  isEffective: async ({ bridge }) => (await bridge.readyEndpoints()) === 0,
  heal: ({ bridge }, undo) => scaleBack(bridgeReplicas(bridge), undo),
  isHealed: async ({ bridge }, { replicas }) => (await bridge.readyEndpoints()) >= replicas,
};

/** The region comes back under load: what is injected is its return. */
export const failBack: Fault<Scaled> = {
  name: 'fail-back',
  blastRadius: 'the bridges of one region are away when the load begins, and come back under it',
  needs: bridgeNeeds,
  expects: { before: 'silent', during: 'any' },
  ends: 'by itself',
  describe: ({ bridge }) => bridgeReplicas(bridge).title,
  prepare: beforeBridge,
  arrange: ({ bridge }) => bridge.scale(0),
  isArranged: async ({ bridge }) => (await bridge.readyEndpoints()) === 0,
  inject: async ({ bridge }, undo) => { await scaleBack(bridgeReplicas(bridge), undo); },
  isEffective: async ({ bridge }, { replicas }) => (await bridge.readyEndpoints()) >= replicas,
  heal: ({ bridge }, undo) => scaleBack(bridgeReplicas(bridge), undo),
  isHealed: async ({ bridge }, { replicas }) => (await bridge.readyEndpoints()) >= replicas,
};

/** The bridge itself is written when the ownership of its replicas is given back. */
async function beforeBridge({ bridge, region, refs: { region: { namespace } } }: Target): Promise<Scaled> {
  const scaled = await beforeScaling(bridgeReplicas(bridge));
  await region.mustAllow(['kafkabridges/scale', 'kafkabridges'].map((resource) => ({ verb: 'patch', group: strimziGroup, resource, namespace })));
  return scaled;
}

/** Deployments of a cluster, each with its pods. */
interface ScaledDeployments {
  deployments: { context: string; namespace: string; name: string; pods: Selection; scaled: Scaled }[];
}

/** The control plane of the region's mesh is away; gateways go on with what they know. */
export const istiodDown: Fault<ScaledDeployments> = {
  ...deploymentsAway('app=istiod', { absent: () => 'the cluster runs no Deployment of istiod with the label app=istiod' }),
  name: 'istiod-down',
  blastRadius: 'the istiod of one region\'s cluster is stopped: its gateways and sidecars learn of no change',
  needs: 'istiod as a Deployment in the region\'s cluster, and scaling it',
  describe: ({ refs: { region } }) => `the Deployments of istiod in cluster ${region.context}`,
};

/** The operator of the region's bridge is away; what it made goes on. Those of other namespaces are nobody's to stop. */
export const operatorDown: Fault<ScaledDeployments> = {
  ...deploymentsAway('strimzi.io/kind=cluster-operator', {
    absent: ({ refs: { region } }) => `the cluster runs no Deployment of Strimzi's operator (label strimzi.io/kind=cluster-operator of its pods) that watches namespace ${region.namespace}`,
    isMeant: (deployment, { refs: { region } }) => watchedBy(deployment)?.includes(region.namespace) ?? true,
  }),
  name: 'operator-down',
  blastRadius: 'Strimzi\'s operator of one region\'s bridge is stopped: nothing looks after that, nor after what else this operator watches; those that watch other namespaces alone go on',
  needs: 'Strimzi\'s operator as a Deployment in the region\'s cluster, and scaling it',
  describe: ({ refs: { region } }) => `Strimzi's operator of namespace ${region.namespace} in cluster ${region.context}`,
};

type Shared = 'expects' | 'ends' | 'means' | 'prepare' | 'inject' | 'isEffective' | 'heal' | 'isHealed';

interface Which {
  /** That there is none, for a person. */
  absent: (target: Target) => string;
  /** Absent: every one. */
  isMeant?: (deployment: V1Deployment, target: Target) => boolean;
}

/** Deployments of the region's cluster whose pods have a label, away and back. Nobody who is served may notice. */
function deploymentsAway(podLabel: string, { absent, isMeant = () => true }: Which): Pick<Fault<ScaledDeployments>, Shared> {
  return {
    expects: { during: 'serves' },
    ends: 'healed',
    means: ({ deployments }) => deployments.map(({ namespace, name }) => `${namespace}/${name}`).join(', '),
    async prepare(target) {
      const { region } = target;
      const found = await deploymentsOf(region, podLabel, (deployment) => isMeant(deployment, target));
      if (found.length === 0) refuse(`${absent(target)} (cluster ${region.context})`);
      const namespaces = [...new Set(found.map(({ namespace }) => namespace))];
      await region.mustAllow(namespaces.flatMap((namespace) => [{ verb: 'patch', group: 'apps', resource: 'deployments/scale', namespace }, { verb: 'patch', group: 'apps', resource: 'deployments', namespace }]));
      return { deployments: await Promise.all(found.map(async (each) => ({ ...each, scaled: await beforeScaling(deploymentReplicas(region, each)) }))) };
    },
    async inject(target, { deployments }) {
      await together(deployments, (each) => deploymentReplicas(target.region, each).scale(0));
    },
    isEffective: async ({ region }, { deployments }) => (await Promise.all(deployments.map(async ({ pods }) => (await livePods(region, pods)).length === 0))).every(Boolean),
    async heal(target, { deployments }) {
      const changed = await together(deployments, (each) => scaleBack(deploymentReplicas(target.region, each), each.scaled));
      return changed.includes(true);
    },
    async isHealed({ region }, { deployments }) {
      const back = await Promise.all(deployments.map(async ({ namespace, name, scaled }) => {
        const deployment = await region.askFor(`Deployment ${namespace}/${name} cannot be read`, () => region.apps.readNamespacedDeployment({ namespace, name }));
        return (deployment?.status?.availableReplicas ?? 0) >= scaled.replicas;
      }));
      return back.every(Boolean);
    },
  };
}

async function deploymentsOf(cluster: Cluster, podLabel: string, isMeant: (deployment: V1Deployment) => boolean): Promise<Omit<ScaledDeployments['deployments'][number], 'scaled'>[]> {
  const [key = '', value = ''] = podLabel.split('=');
  const { items } = await cluster.ask('the Deployments cannot be listed', () => cluster.apps.listDeploymentForAllNamespaces());
  return items.filter(({ spec }) => spec?.template.metadata?.labels?.[key] === value && (spec.replicas ?? 1) > 0).filter(isMeant).map(({ metadata, spec }) => {
    const { namespace = '', name = '' } = metadata ?? {};
    const labels = Object.entries(spec?.selector.matchLabels ?? {}).map(([label, wanted]) => `${label}=${wanted}`).join(',');
    return { context: cluster.context, namespace, name, pods: { context: cluster.context, namespace, labels } };
  });
}
