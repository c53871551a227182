import { isIP } from 'node:net';

import type { Finding } from '../problems.ts';
import { amountOf } from '../quantity.ts';
import type { Readable } from '../readable.ts';
import type { Path } from '../text.ts';

type Service = NonNullable<Readable['tier1']>['service'];
type Resources = NonNullable<Readable['bridge']>['resources'];

export const serviceRules = [
  'A Service of a type other than LoadBalancer says its `address`; `internal` is for LoadBalancer only, and with aws, as with annotations for its load balancers, there is no `address`. That of a LoadBalancer is an IP address.',
  '`bridge.maxUnavailable` leaves a bridge in every region that has several.',
  'Requests of CPU and memory are within the limits, and memory, like the size of a volume, is 1Mi or more.',
];

/** What a gateway's Service or a pod's resources cannot have together. */
export function checkServices({ regions = [], tier1, kafka, bridge }: Readable): Finding[] {
  return [
    ...regions.flatMap((region, index) => loadBalancer(['regions', index, 'gateway', 'service'], region?.gateway?.service)),
    ...loadBalancer(['tier1', 'service'], tier1?.service),
    ...evicted(regions, bridge?.maxUnavailable),
    ...amounts(['kafka', 'resources'], kafka?.resources),
    ...amounts(['bridge', 'resources'], bridge?.resources),
  ];
}

/** A load balancer has an address of its own; what stands for one in front of another type has to be said, as other clusters and clients reach the gateway by it. */
function loadBalancer(path: Path, service: Service): Finding[] {
  if (service?.type === undefined) return [];
  if (service.type === 'LoadBalancer') {
    if (service.address === undefined) return [];
    const aws = service.internal === 'aws' ? 'internal: aws' : Object.keys(service.annotations ?? {}).find((annotation) => annotation.startsWith('service.beta.kubernetes.io/aws-load-balancer-'));
    if (aws !== undefined) return [{ path: [...path, 'address'], allowed: `nothing with ${aws}: load balancers of AWS take addresses by annotations only` }];
    return isIP(service.address) > 0 ? [] : [{ path: [...path, 'address'], allowed: 'an IP address: a load balancer can be given no other; a host name is for type NodePort or ClusterIP' }];
  }
  return [
    ...(service.internal === undefined ? [] : [{ path: [...path, 'internal'], allowed: 'only with type: LoadBalancer' }]),
    ...(service.address === undefined ? [{ path: [...path, 'address'], allowed: `the address by which other clusters and clients reach it, as type ${service.type} gives it none` }] : []),
  ];
}

/** An eviction must not take all of a region's bridges at once; where a region has one, it takes that one anyway. */
function evicted(regions: NonNullable<Readable['regions']>, most: number | undefined): Finding[] {
  const several = regions.flatMap((region, index) => (region?.replicas !== undefined && region.replicas > 1 ? [{ index, replicas: region.replicas }] : []));
  const [fewest] = several.toSorted((a, b) => a.replicas - b.replicas);
  if (most === undefined || most <= Math.max(1, (fewest?.replicas ?? 1) - 1)) return [];
  return [{ path: ['bridge', 'maxUnavailable'], allowed: fewest === undefined ? '1: no region has more bridges than one' : `less than ${fewest.replicas} (regions[${fewest.index}].replicas), or an eviction takes all of them at once` }];
}

/** Kubernetes refuses a pod that asks for more than it may have. */
function amounts(path: Path, resources: Resources): Finding[] {
  return (['cpu', 'memory'] as const).flatMap((key) => {
    const limit = resources?.limits?.[key];
    const request = resources?.requests?.[key];
    if (limit === undefined || request === undefined || amountOf(request) <= amountOf(limit)) return [];
    return [{ path: [...path, 'requests', key], allowed: `${limit} or less (${[...path, 'limits', key].join('.')})` }];
  });
}
