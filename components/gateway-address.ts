import type * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import type { LiveObject } from './cluster-reader.ts';
import type { InstallGateway } from './resources/tsb.ts';

const timeoutMs = 300_000;

/**
 * The address by which an installed gateway is reached, once its pods are available: an IP address, or a host name where the cloud gives one.
 * @param gateway `Deployment` and `Service` have its name
 */
export function gatewayAddress(install: InstallGateway, gateway: { namespace: string; name: string }, { reader }: Cluster): pulumi.Output<string> {
  return install.id
    .apply(() => reader.awaitField({ apiVersion: 'apps/v1', kind: 'Deployment', ...gateway }, { select: availableGeneration, what: 'available pod', timeoutMs }))
    .apply(() => reader.awaitField({ apiVersion: 'v1', kind: 'Service', ...gateway }, { select: loadBalancerAddress, what: 'load balancer address', timeoutMs }));
}

function availableGeneration(deployment: LiveObject): number | undefined {
  const { observedGeneration, conditions } = (deployment['status'] ?? {}) as { observedGeneration?: number; conditions?: { type: string; status: string }[] };
  const available = conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true;
  return available && observedGeneration === deployment.metadata?.generation ? observedGeneration : undefined;
}

function loadBalancerAddress(service: LiveObject): string | undefined {
  const { loadBalancer } = (service['status'] ?? {}) as { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
  const [first] = loadBalancer?.ingress ?? [];
  return first?.ip ?? first?.hostname;
}
