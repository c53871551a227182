import { resolve } from 'node:path';
import { clientOf } from '../components/cluster-client.ts';
import { within } from '../components/within.ts';
import { shellWord } from '../config/shell-word.ts';
import { isText } from './kubeconfigs.ts';
import { clustersInState, providerUrn } from './stackState.ts';
import type { StackState } from './stackState.ts';

/** A namespace that the engine did not get rid of. */
export interface StuckNamespace {
  readonly name: string;
  /** `<urn>::<id>` of the provider of its cluster. */
  readonly provider: string;
}

/**
 * Why namespaces are still there, one line each: Kubernetes says it in their conditions, and the provider leaves it out. Of one that cannot be read nothing is said.
 * @param program the program's directory, where relative paths of kubeconfigs begin
 */
export async function whyStuck(namespaces: readonly StuckNamespace[], state: StackState, program: string): Promise<string[]> {
  const clusters = clustersInState(state);
  const lines = await Promise.all(namespaces.map(async ({ name, provider }) => {
    const { context, kubeconfig } = clusters.find((cluster) => cluster.provider === providerUrn(provider)) ?? {};
    if (context === undefined || kubeconfig === undefined) return [];
    const { read } = clientOf(isText(kubeconfig) ? { text: Promise.resolve(kubeconfig) } : { file: resolve(program, kubeconfig) }, context);
    const live = await within(read({ apiVersion: 'v1', kind: 'Namespace', name })).catch(() => undefined);
    const { conditions = [] } = (live?.['status'] ?? {}) as { conditions?: { type: string; status: string; message?: string }[] };
    const remaining = conditions.filter(({ status }) => status === 'True').map(({ type, message = '' }) => `${type}: ${message.replace(/\.$/, '')}`);
    if (remaining.length === 0) return [];
    return [`Namespace ${name} in cluster ${context} is not gone: ${remaining.join('; ')}. See: kubectl --context ${shellWord(context)} describe namespace ${name}`];
  }));
  return lines.flat();
}
