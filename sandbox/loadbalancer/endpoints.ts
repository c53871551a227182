import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import type { Json, Stored } from '../agent/types.ts';
import type { Address } from './proxy.ts';

export type Service = Stored & { spec: NonNullable<Json<V1Service>['spec']>; status?: Json<V1Service>['status'] };
export type EndpointSlice = Stored & Omit<Json<V1EndpointSlice>, 'metadata'>;

/** An address to listen on and where its connections go. */
export interface Listener { readonly at: Address; readonly endpoints: readonly Address[] }

/**
 * What a Service's addresses lead to, as kube-proxy sees it: the endpoints that are ready or, when there are none, those that
 * still serve although they are ending.
 * @param slices Those of the Service. @param nodeIp For its node ports. @param balancerIp Its load balancer address, when it has one.
 */
export function listenersOf(service: Service, slices: readonly EndpointSlice[], nodeIp: string, balancerIp: string | undefined): Listener[] {
  const { clusterIP, ports = [] } = service.spec;
  return ports.filter(({ protocol = 'TCP' }) => protocol === 'TCP').flatMap(({ port, name = '', nodePort }) => {
    const endpoints = endpointsOf(slices, name);
    const listen = (host: string | undefined, at: number | undefined): Listener[] => host === undefined || at === undefined ? [] : [{ at: { host, port: at }, endpoints }];
    return [...listen(hasAddress(clusterIP) ? clusterIP : undefined, port), ...listen(balancerIp, port), ...listen(nodeIp, nodePort)];
  });
}

/** False for a headless Service and one that is only a name. */
export function hasAddress(clusterIP: string | undefined): clusterIP is string {
  return clusterIP !== undefined && clusterIP !== '' && clusterIP !== 'None';
}

/** Addresses of a port by its name (empty when it has none), sorted, without repetitions. */
function endpointsOf(slices: readonly EndpointSlice[], portName: string): Address[] {
  const all = slices.filter(({ addressType }) => addressType === 'IPv4').flatMap(({ endpoints, ports }) => {
    // The API server says null for a slice that has none.
    const port = (ports ?? []).find(({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP')?.port;
    return port === undefined ? [] : (endpoints ?? []).flatMap(({ addresses, conditions }) => addresses.map((host) => ({ host, port, conditions })));
  });
  const ready = all.filter(({ conditions }) => conditions?.ready !== false);
  const chosen = ready.length > 0 ? ready : all.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
  const unique = new Map(chosen.map(({ host, port }) => [`${host}:${port}`, { host, port }]));
  return [...unique].sort(([a], [b]) => a < b ? -1 : 1).map(([, address]) => address);
}

/** What a Service asks for and does not get here, as field paths. */
export function unhonoured({ spec }: Service): string[] {
  const other = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol !== 'TCP').map(({ port, protocol = '' }) => `ports[${port}].protocol ${protocol}`);
  return [
    ...other,
    ...(spec.sessionAffinity === 'ClientIP' ? ['sessionAffinity'] : []),
    ...(['externalIPs', 'loadBalancerIP', 'loadBalancerSourceRanges'] as const).filter((field) => spec[field] !== undefined && spec[field].length > 0),
  ];
}
