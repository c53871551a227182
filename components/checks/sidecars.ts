import type { V1Pod } from '@kubernetes/client-node';

import { shellWord } from '../../config/shell-word.ts';
import { labelledPods } from '../labelled-pods.ts';
import { type Look, type Problem, reasonOf } from './problem.ts';

export interface SidecarsInput {
  /** A path, or the text itself. */
  readonly kubeconfig: { readonly file: string } | { readonly text: string };
  readonly context: string;
  readonly namespace: string;
  /** Labels of the bridge's pods. */
  readonly selector: Readonly<Record<string, string>>;
}

const sidecar = 'istio-proxy';

/** Looks whether every pod of the bridge has its proxy, and whether that is ready: without it the mesh sees nothing of the bridge. */
export const lookAtSidecars: Look<SidecarsInput> = async ({ kubeconfig, context, namespace, selector }) => {
  const see = `kubectl --context ${shellWord(context)} get pods -n ${namespace}`;
  try {
    const pods = (await labelledPods(kubeconfig, context, { namespace, labels: selector })).filter(({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
    return pods.flatMap((pod) => problem(pod, { context, namespace, see }));
  } catch (error) {
    return [{ found: `pods of namespace ${namespace} in cluster ${context}: ${reasonOf(error)}`, see }];
  }
};

function problem({ metadata, spec, status }: V1Pod, { context, namespace, see }: { context: string; namespace: string; see: string }): Problem[] {
  const pod = `pod ${namespace}/${metadata?.name ?? ''} in cluster ${context}`;
  // A native sidecar is an init container that stays.
  const has = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ name }) => name === sidecar);
  if (!has) {
    return [{
      found: `${pod} has no ${sidecar}: it was started before its namespace asked for one, or no injector answered`,
      see: `kubectl --context ${shellWord(context)} get namespace ${namespace} --show-labels; kubectl --context ${shellWord(context)} get mutatingwebhookconfigurations; then delete the pod, so that another is made`,
    }];
  }
  const ready = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].some((container) => container.name === sidecar && container.ready);
  return ready ? [] : [{ found: `${pod}: its ${sidecar} is not ready`, see: `${see}; kubectl --context ${shellWord(context)} logs -n ${namespace} ${metadata?.name ?? ''} -c ${sidecar}` }];
}
