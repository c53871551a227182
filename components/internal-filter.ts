import type * as pulumi from '@pulumi/pulumi';

import type { GatewayPlace } from './gateway.ts';
import { accepted, untilReady } from './ready.ts';
import { EnvoyFilter, type EnvoyFilterSpec } from './resources/istio.ts';
import { parentAnnotations } from './resources/tsb.ts';

/** Where the filter is. */
export interface FilterPlace extends Pick<GatewayPlace, 'cluster' | 'namespace' | 'namespaceName' | 'name' | 'tsb' | 'acceptedWhen'> {
  /** Of the Pulumi resource; no region may have a name by which another's resource is called so. */
  readonly resourceName: string;
}

/** An EnvoyFilter in TSB's Istio-internal group; none where there is no such group, as then none may be written. */
export function internalFilter({ resourceName, cluster, namespace, namespaceName, name, tsb, acceptedWhen }: FilterPlace, spec: EnvoyFilterSpec, parent: pulumi.Resource): void {
  if (tsb.istioInternalGroup === undefined) return;
  untilReady({ apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', namespace: namespaceName, name }, cluster, accepted(acceptedWhen), ({ annotations, options }) => {
    const inGroup = { ...parentAnnotations({ ...tsb, gatewayGroup: undefined }), ...annotations };
    return new EnvoyFilter(resourceName, { metadata: { name, namespace, labels: { 'istio.io/rev': 'tsb' }, annotations: inGroup }, spec }, { parent, ...options });
  });
}
