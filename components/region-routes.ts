import type { BridgeBounds } from './bridge-spec.ts';
import { bridgeGateway, bridgeNamespace, bridgePort, localService, serviceHost, sharedService } from '../config/names.ts';
import { seconds } from './resilience.ts';
import type { GatewaySpec, HttpRule, HttpServer } from './resources/tsb.ts';

export interface RegionRoutes {
  readonly hostname: string;
  readonly regionHostname: string;
  readonly timeouts: BridgeBounds['timeouts'];
}

/** A region's gateway serves the common host name and the region's own in the same way. */
export function regionRoutes({ hostname, regionHostname, timeouts }: RegionRoutes): GatewaySpec {
  const rules = [consumers(regionHostname, timeouts.consumersMs), everythingElse(timeouts.routeMs)];
  return {
    workloadSelector: { namespace: bridgeNamespace, labels: { app: bridgeGateway } },
    http: [server('global', hostname, rules), server('region', regionHostname, rules)],
  };
}

/** Paths of consumers, which every gateway treats apart. */
export const consumersPath = '/consumers';

/**
 * A consumer lives on one bridge, so its requests never leave the region, and the bridge is told the region's own host name:
 * the `base_uri` that it answers with brings the client back here.
 */
function consumers(regionHostname: string, timeoutMs: number): HttpRule {
  return {
    match: [{ uri: { prefix: consumersPath } }],
    modify: { headers: { request: { set: { 'X-Forwarded-Host': regionHostname, 'X-Forwarded-Proto': 'http' } } } },
    timeout: seconds(timeoutMs),
    route: destination(localService),
  };
}

function everythingElse(timeoutMs: number): HttpRule {
  return { timeout: seconds(timeoutMs), route: destination(sharedService) };
}

function destination(service: string): HttpRule['route'] {
  return { serviceDestination: { host: `${bridgeNamespace}/${serviceHost(service, bridgeNamespace)}`, port: bridgePort } };
}

function server(name: string, hostname: string, rules: readonly HttpRule[]): HttpServer {
  return { name, hostname, port: 80, routing: { rules } };
}
