/** As whom a pod runs, and with what rights: what the profile `restricted` of PodSecurity asks for. */
export interface PodSecurity {
  readonly pod: { readonly runAsNonRoot: true; readonly runAsUser?: number; readonly seccompProfile: { readonly type: 'RuntimeDefault' } };
  readonly container: { readonly allowPrivilegeEscalation: false; readonly capabilities: { drop: string[] } };
}

/** Where a cluster has this group of resources (OpenShift's SecurityContextConstraints), each namespace has users of its own, which pods are given, and others are refused. */
export const userGivingGroup = 'security.openshift.io';

/** Not root's, and `node` in the public image of Node.js. Without a number an image that names no user is not started at all, as it would be root's. */
const user = 1_000;

/** @param givesUsers whether the cluster says itself as which user a pod runs */
export function restricted(givesUsers: boolean): PodSecurity {
  return {
    pod: { runAsNonRoot: true, ...(givesUsers ? {} : { runAsUser: user }), seccompProfile: { type: 'RuntimeDefault' } },
    container: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
}
