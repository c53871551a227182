import type * as pulumi from '@pulumi/pulumi';

import { regionHostname } from '../config/names.ts';
import type { BridgeConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import { consumersPath, dashed, tries } from './region-routes.ts';
import { seconds, tier1Timeouts } from './resilience.ts';
import type { ClusterChoice, FailoverSettings, GatewayRoutes, HttpServer } from './resources/tsb.ts';

export interface Tier1Region {
  readonly name: string;
  /** What TSB calls its cluster. */
  readonly tsbCluster: pulumi.Input<string>;
  /** TSB's network of it, where it is configured. */
  readonly network?: pulumi.Input<string | undefined> | undefined;
}

export interface Tier1Routes {
  readonly tier1: Pick<Tier1Configuration, 'name' | 'namespace' | 'mode' | 'weights' | 'active' | 'retries'>;
  readonly hostname: string;
  readonly regions: readonly Tier1Region[];
  readonly timeouts: BridgeConfiguration['timeouts'];
  readonly api: TsbConfiguration['api'];
  /** Secret with certificate and key; undefined: plain HTTP. */
  readonly tlsSecret: pulumi.Input<string> | undefined;
}

/** The common host goes to every region, each region's own to that region. */
export function tier1Routes(args: Tier1Routes): GatewayRoutes {
  const { tier1, hostname, regions, api } = args;
  const workloadSelector = { namespace: tier1.namespace, labels: { app: tier1.name } };
  if (api === 'tier1gateway') {
    const server = (host: string, clusters: ClusterChoice[]) => ({ name: dashed(host), hostname: host, ...entrance(args), clusters });
    const pinned = regions.map((region) => server(regionHostname(region.name, hostname), [choice(region)]));
    return { kind: 'Tier1Gateway', spec: { workloadSelector, externalServers: [server(hostname, shares(args)), ...pinned] } };
  }
  const pinned = regions.map((region) => server(args, { name: `region-${region.name}`, hostname: regionHostname(region.name, hostname) }, [choice(region)]));
  return { kind: 'Gateway', spec: { workloadSelector, http: [server(args, { name: 'global', hostname, ...ranked(args) }, shares(args)), ...pinned] } };
}

/** Tells the gateways of one region from those of others, where TSB is to rank them. */
export const rankLabel = 'failover.tetrate.io/region';

/** Port by which clients come in. */
export function entrancePort(tls: boolean): number {
  return tls ? 443 : 80;
}

/** Weights, where they are asked for, switch TSB's failover off. */
function shares({ tier1: { mode, weights }, regions, api }: Tier1Routes): ClusterChoice[] {
  return regions.map((region) => ({
    ...choice(region),
    ...(api === 'tier1gateway' && region.network !== undefined ? { network: region.network } : {}),
    ...(mode === 'weighted' ? { weight: weights?.[region.name] ?? 0 } : {}),
  }));
}

function choice({ tsbCluster }: Tier1Region): ClusterChoice {
  return { name: tsbCluster };
}

/**
 * Left alone, tier1 keeps to the regions that are where it stands itself and takes others only when those are gone: whether all
 * serve would depend on the place of tier1.
 */
function ranked({ tier1: { mode, active } }: Tier1Routes): { failoverSettings?: FailoverSettings } {
  if (mode === 'weighted') return {};
  return { failoverSettings: active === 'all' ? { topologyChoice: 'NONE' } : { failoverPriority: [`${rankLabel}=${active.first}`] } };
}

function server(args: Tier1Routes, given: Pick<HttpServer, 'name' | 'hostname' | 'failoverSettings'>, clusters: ClusterChoice[]): HttpServer {
  const { routeMs, consumersMs } = tier1Timeouts(args.timeouts);
  const response = tries({ retries: args.tier1.retries, api: args.api });
  const to = { ...(response.add === undefined ? {} : { modify: { headers: { response } } }), route: { clusterDestination: { clusters } } };
  const consumers = { match: [{ uri: { prefix: consumersPath } }], timeout: seconds(consumersMs), ...to };
  return { ...given, ...entrance(args), routing: { rules: [consumers, { timeout: seconds(routeMs), ...to }] } };
}

function entrance({ tlsSecret }: Tier1Routes): Pick<HttpServer, 'port' | 'tls'> {
  return { port: entrancePort(tlsSecret !== undefined), ...(tlsSecret === undefined ? {} : { tls: { mode: 'SIMPLE', secretName: tlsSecret } }) };
}
