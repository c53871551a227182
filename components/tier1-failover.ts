import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { tier1Filter } from './envoy-filters.ts';
import { externalDns } from './external-dns.ts';
import { configuredGateway, gatewayAddress, type GatewayParents } from './gateway.ts';
import { regionHostname, tier1Gateway } from '../config/names.ts';
import { consumersPath } from './region-routes.ts';
import { seconds } from './resilience.ts';
import type { GatewaySpec, HttpServer } from './resources/tsb.ts';

export interface Tier1FailoverArgs {
  readonly cluster: Cluster;
  /** Namespace to make for tier1. */
  readonly namespace: string;
  /** Host name that all regions share. */
  readonly hostname: string;
  /** Regions, and what TSB calls their clusters. */
  readonly regions: readonly { readonly name: string; readonly tsbCluster: string }[];
  /** Bounds of a request in a region, in milliseconds; tier1's are longer, so that the region answers first. */
  readonly timeouts: { readonly routeMs: number; readonly consumersMs: number };
  /** Where tier1's objects belong in TSB. */
  readonly tsb: GatewayParents;
  /** What has to be there before requests are routed to it. */
  readonly after?: pulumi.Input<pulumi.Resource[]>;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen?: string | undefined;
}

/** The gateway in front of all regions. */
export class Tier1Failover extends pulumi.ComponentResource {
  /** Address of its load balancer. */
  readonly address: pulumi.Output<string>;
  /** What clients call. */
  readonly url: pulumi.Output<string>;
  /** Known when its routes are what the settings say. */
  readonly routed: pulumi.Output<unknown>;

  constructor(name: string, args: Tier1FailoverArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:Tier1Failover', name, {}, { ...opts, provider: args.cluster.provider });

    const namespace = new k8s.core.v1.Namespace(`${name}-namespace`, { metadata: { name: args.namespace } }, { parent: this });
    const hosts = [args.hostname, ...args.regions.map((region) => regionHostname(region.name, args.hostname))];
    const { cluster, tsb, acceptedWhen, after = [] } = args;
    const { install, routed } = configuredGateway(
      { logicalName: name, cluster, namespace, namespaceName: args.namespace, name: tier1Gateway, tsb, acceptedWhen },
      { service: { annotations: externalDns(...hosts) }, routes: tier1Routes(args), after, filter: tier1Filter() },
      this,
    );

    this.address = gatewayAddress(install, { namespace: args.namespace, name: tier1Gateway }, args.cluster);
    this.url = pulumi.output(`http://${args.hostname}`);
    this.routed = routed;
    this.registerOutputs({ cluster: args.cluster.name, address: this.address, url: this.url });
  }
}

/** The common host goes to every region, each region's own to that region. There are no weights: with them TSB fails nothing over. */
function tier1Routes({ namespace, hostname, regions, timeouts }: Tier1FailoverArgs): GatewaySpec {
  const server = (name: string, host: string, to: readonly { tsbCluster: string }[]): HttpServer => {
    const route = { clusterDestination: { clusters: to.map(({ tsbCluster }) => ({ name: tsbCluster })) } };
    const consumers = { match: [{ uri: { prefix: consumersPath } }], timeout: seconds(timeouts.consumersMs + hopMs), route };
    return { name, hostname: host, port: 80, routing: { rules: [consumers, { timeout: seconds(timeouts.routeMs + hopMs), route }] } };
  };
  return {
    workloadSelector: { namespace, labels: { app: tier1Gateway } },
    http: [server('global', hostname, regions), ...regions.map((region) => server(`region-${region.name}`, regionHostname(region.name, hostname), [region]))],
  };
}

/** What the way to a region and back may add to a request. */
const hopMs = 1_000;
