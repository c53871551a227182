import type { BridgeConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import { bridgeHosts } from './bridge-hosts.ts';
import { serverMarks } from './envoy-filters.ts';
import { seconds } from './resilience.ts';
import type { GatewayRoutes, HeaderChange, HttpRule } from './resources/tsb.ts';

export interface RegionRoutes {
  readonly region: string;
  /** Name of the gateway. */
  readonly gateway: string;
  readonly bridge: BridgeConfiguration;
  readonly hostname: string;
  readonly regionHostname: string;
  /** How clients come, wherever TLS ends: consumers are told to come back so. */
  readonly scheme: 'http' | 'https';
  readonly api: TsbConfiguration['api'];
  readonly envoyFilters: TsbConfiguration['envoyFilters'];
  readonly retries: Tier1Configuration['retries'];
}

/** A region's gateway serves the common host name and the region's own in the same way. */
export function regionRoutes(args: RegionRoutes): GatewayRoutes {
  const { region, gateway, bridge, hostname, regionHostname, api } = args;
  const workloadSelector = { namespace: bridge.namespace, labels: { app: gateway } };
  const rules = rulesOf(args);
  if (api === 'gateway') {
    const server = (name: string, host: string) => ({ name, hostname: host, port, routing: { rules: rules.map(unified) } });
    return { kind: 'Gateway', spec: { workloadSelector, http: [server('global', hostname), server('region', regionHostname)] } };
  }
  const server = (name: string, host: string) => ({ name, hostname: host, port, routing: { rules: rules.map(deprecated) } });
  return { kind: 'IngressGateway', spec: { workloadSelector, http: [server(`${region}-${dashed(hostname)}`, hostname), server(`${region}-pinned`, regionHostname)] } };
}

/** Paths of consumers, which every gateway treats apart. */
export const consumersPath = '/consumers';

/** A host name as a part of the name of a server. */
export function dashed(hostname: string): string {
  return hostname.replaceAll('.', '-');
}

/**
 * Where gateways repeat what may have been written, each on the way says in the answer how often it tried, so that a record that is there twice can be
 * told from one that nobody repeated. The deprecated kinds cannot say it at tier1, and half of it would explain nothing.
 */
export function tries({ retries, api }: { retries: Tier1Configuration['retries']; api: TsbConfiguration['api'] }): HeaderChange {
  return retries === 'tsb-default' && api === 'gateway' ? { add: { 'x-envoy-attempt-count': '%UPSTREAM_REQUEST_ATTEMPT_COUNT%' } } : {};
}

/** Tier1 comes in by the port for other clusters; this one is for who calls the region directly. */
const port = 80;

interface Rule extends Pick<HttpRule, 'match' | 'modify'> {
  readonly timeoutMs: number;
  readonly service: { readonly host: string; readonly port: number };
}

function rulesOf({ region, bridge, regionHostname, scheme, envoyFilters, ...more }: RegionRoutes): Rule[] {
  const { shared, local } = bridgeHosts(bridge);
  const { routeMs, consumersMs } = bridge.timeouts;
  const service = (host: string) => ({ host: `${bridge.namespace}/${host}`, port: bridge.port });
  const told = { ...(envoyFilters === 'none' ? { set: serverMarks(region) } : {}), ...tries(more) };
  const response = Object.keys(told).length > 0 ? { response: told } : {};
  const forConsumers = { modify: { headers: { request: comeBack(regionHostname, scheme), ...response } }, timeoutMs: consumersMs };
  if (local === undefined) return [{ ...forConsumers, service: service(shared) }];
  const consumers = { match: [{ uri: { prefix: consumersPath } }], ...forConsumers, service: service(local) };
  return [consumers, { ...('response' in response ? { modify: { headers: response } } : {}), timeoutMs: routeMs, service: service(shared) }];
}

/**
 * A consumer lives on one bridge, which is told the region's own host name: the `base_uri` that it answers with brings the client back here. What clients or proxies before say of that goes:
 * a bridge takes the word of `Forwarded` before all others, and of the path `X-Forwarded-Path`'s.
 */
function comeBack(regionHostname: string, scheme: RegionRoutes['scheme']): HeaderChange {
  return { set: { 'X-Forwarded-Host': regionHostname, 'X-Forwarded-Proto': scheme }, remove: ['Forwarded', 'X-Forwarded-Path'] };
}

function unified({ timeoutMs, service, ...rule }: Rule): HttpRule {
  return { ...rule, timeout: seconds(timeoutMs), route: { serviceDestination: service } };
}

/** Its rules have no timeout: see the settings of the host. */
function deprecated({ match, modify, service }: Rule) {
  return { ...(match && { match }), ...(modify && { modify }), route: service };
}
