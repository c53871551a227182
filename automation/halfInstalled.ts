import { shellWord } from '../config/shell-word.ts';
import { UserError } from '../errors.ts';
import { clustersInState, providerUrn } from './stackState.ts';
import type { ResourceState, StackState } from './stackState.ts';

export const releaseType = 'kubernetes:helm.sh/v3:Release';

/** A release of Helm's whose installation did not end, by the state. Helm neither upgrades it nor gives its name to another one; it does uninstall it. */
export function isHalfInstalled({ type, outputs }: ResourceState): boolean {
  return type === releaseType && (outputs as { status?: { status?: unknown } } | undefined)?.status?.status === 'pending-install';
}

/** Such a release in a person's terms. */
export interface HalfInstalled {
  readonly name: string;
  readonly namespace: string;
  readonly context: string;
}

/** Those among the resources of these URNs. */
export function halfInstalledIn(state: StackState, urns: readonly string[]): HalfInstalled[] {
  const clusters = clustersInState(state);
  return (state.resources ?? []).filter((resource) => urns.includes(resource.urn) && isHalfInstalled(resource)).map(({ id = '', provider = '' }) => {
    const [namespace = '', name = ''] = id.split('/');
    return { name, namespace, context: clusters.find((cluster) => cluster.provider === providerUrn(provider))?.context ?? '' };
  });
}

/** @throws UserError that names each, as whatever needs them would fail in the middle */
export function refuseHalfInstalled(releases: readonly HalfInstalled[]): void {
  if (releases.length === 0) return;
  const each = (text: (release: HalfInstalled) => string, between: string): string => releases.map(text).join(between);
  throw new UserError(`Helm did not finish installing ${each(({ name, namespace, context }) => `${name} in namespace ${namespace} of cluster ${context}`, ', ')}: the run that began it was killed. Nothing was changed.`, {
    remedy: `${each(({ name, namespace, context }) => `helm uninstall ${name} -n ${namespace} --kube-context ${shellWord(context)}`, ' && ')}; then run \`up\` again, which installs it anew.`,
  });
}
