import * as pulumi from '@pulumi/pulumi';

import { regionHostname } from '../config/names.ts';
import type { BridgeConfiguration, GcpConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import { tier1Filter } from './envoy-filters.ts';
import { externalDns, publishedAddress } from './external-dns.ts';
import { configuredGateway, gatewayAddress, type GatewayParents, isHostName } from './gateway.ts';
import { dnsRecords, reserveAddress } from './gcp-address.ts';
import { regionCheckPath } from './health-checks.ts';
import { ownNamespace } from './own-namespace.ts';
import { entrancePort, type Tier1Region, tier1Routes } from './tier1-routes.ts';
import { tier1Tls } from './tier1-tls.ts';

export interface Tier1FailoverArgs {
  readonly cluster: Cluster;
  readonly tier1: Tier1Configuration;
  /** Whether its namespace is there before the program. */
  readonly givenNamespace: boolean;
  /** Host name that all regions share. */
  readonly hostname: string;
  readonly regions: readonly Tier1Region[];
  /** What all regions' bridges have in common. */
  readonly bridge: BridgeConfiguration;
  /** Which of TSB's kinds say what it does. */
  readonly api: TsbConfiguration['api'];
  /** Where tier1's objects belong in TSB. */
  readonly tsb: GatewayParents;
  /** What has to be there before requests are routed to it. */
  readonly after?: pulumi.Input<pulumi.Resource[]>;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen?: string | undefined;
  /** Where its address and its host names come from, where that is Google Cloud. */
  readonly gcp?: GcpConfiguration | undefined;
}

/** A host name and where it is, for where no DNS has it: curl takes an IP address by `--resolve`, and a host name by `--connect-to`. */
export interface Resolved {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** The gateway in front of all regions. */
export class Tier1Failover extends pulumi.ComponentResource {
  /** Address of its load balancer. */
  readonly address: pulumi.Output<string>;
  /** What clients call. */
  readonly url: pulumi.Output<string>;
  /** Every host name that clients call. */
  readonly resolve: pulumi.Output<Resolved[]>;
  /** The same as curl's `--resolve` takes it, `name:port:address`; empty where the address is a host name, which that does not take. */
  readonly curlResolve: pulumi.Output<string[]>;
  /** PEM that clients have to trust; empty without TLS, and where public authorities are enough. */
  readonly caCertificate: pulumi.Output<string>;
  /** Known when its routes are what the settings say. */
  readonly routed: pulumi.Output<unknown>;

  constructor(name: string, args: Tier1FailoverArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:Tier1Failover', name, {}, { ...opts, provider: args.cluster.provider });

    const { cluster, tier1, hostname, tsb, acceptedWhen, after = [], gcp } = args;
    const namespace = ownNamespace(name, { name: tier1.namespace, cluster: cluster.name, given: args.givenNamespace }, { parent: this });
    const hosts = [hostname, ...args.regions.map((region) => regionHostname(region.name, hostname))];
    const place = { cluster, namespace, namespaceName: tier1.namespace, name: tier1.name };
    const tls = tier1.tls && tier1Tls(name, { ...place, namespaceName: tier1.namespace, hostname, hosts, tls: tier1.tls }, this);
    const reserved = gcp?.staticAddress === undefined ? undefined : reserveAddress(`${name}-address`, { ...gcp, address: gcp.staticAddress }, { parent: this });
    const service = {
      replicas: tier1.replicas,
      service: tier1.service,
      ...(tier1.dns === 'external-dns' ? { annotations: { ...externalDns(...hosts), ...publishedAddress(tier1.service) } } : {}),
      address: reserved,
    };
    const routes = tier1Routes({ ...args, timeouts: args.bridge.timeouts, tlsSecret: tls?.secretName });
    const { install, routed } = configuredGateway({ ...place, logicalName: name, tsb, acceptedWhen }, { service, revision: tier1.revision, routes, after, filter: tier1Filter({ gateway: tier1.name, hosts, healthCheck: { ...args.bridge.healthCheck, path: regionCheckPath(args.bridge) } }) }, this);

    const port = entrancePort(tls !== undefined);
    this.address = gatewayAddress(install, { namespace: tier1.namespace, name: tier1.name }, { cluster, service: tier1.service, address: reserved });
    if (gcp?.dnsZone !== undefined) dnsRecords(`${name}-dns`, { project: gcp.project, zone: gcp.dnsZone, hosts, address: this.address }, { parent: this });
    this.url = pulumi.output(`${tls === undefined ? 'http' : 'https'}://${hostname}`);
    this.resolve = this.address.apply((address) => hosts.map((host) => ({ name: host, address, port })));
    this.curlResolve = this.resolve.apply((resolved) => resolved.filter(({ address }) => !isHostName(address)).map(({ name, port, address }) => `${name}:${port}:${address}`));
    this.caCertificate = tls?.caCertificate ?? pulumi.output('');
    this.routed = routed;
    this.registerOutputs({ cluster: cluster.name, address: this.address, url: this.url, resolve: this.resolve, curlResolve: this.curlResolve, caCertificate: this.caCertificate });
  }
}
