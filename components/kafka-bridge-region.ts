import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import { bridgeServices, failoverLabel, localPodLabel, strimziBridgeService } from '../config/names.ts';
import type { BridgeConfiguration, OperatorConfiguration, RegionConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import { bridgeMetrics } from './bridge-metrics.ts';
import { bridgeSpec, selectorOf } from './bridge-spec.ts';
import type { Cluster } from './cluster.ts';
import { regionFilter, sidecarFilter } from './envoy-filters.ts';
import { type ConfiguredGateway, configuredGateway, gatewayAddress, type GatewayParents } from './gateway.ts';
import { internalFilter } from './internal-filter.ts';
import { ownNamespace } from './own-namespace.ts';
import { untilReady } from './ready.ts';
import { regionRoutes } from './region-routes.ts';
import { KafkaBridge } from './resources/kafka-bridge.ts';
import { apiVersion, type StrimziApi } from './resources/strimzi.ts';
import { rankLabel } from './tier1-routes.ts';

export interface KafkaBridgeRegionArgs {
  readonly cluster: Cluster;
  /** What TSB calls the cluster. */
  readonly tsbCluster: pulumi.Input<string>;
  /** Host name that all regions share. */
  readonly hostname: string;
  /** Host name that is pinned to this region: consumers made here are told to come back by it. */
  readonly regionHostname: string;
  /** How clients come, wherever TLS ends. */
  readonly scheme: 'http' | 'https';
  readonly bridge: BridgeConfiguration;
  /** Whether the bridge's namespace is there before the program. */
  readonly givenNamespace: boolean;
  /** Version of Strimzi's API that the operator serves. */
  readonly strimziApi: StrimziApi;
  /** Strimzi's operator in the cluster. */
  readonly operator: Pick<OperatorConfiguration, 'version' | 'values'>;
  /** Bridges. */
  readonly replicas: number;
  readonly gateway: RegionConfiguration['gateway'];
  /** Whether tier1 has to tell the region's gateway from others by a label. */
  readonly ranked: boolean;
  /** `host:port` of Kafka's TLS listener. */
  readonly bootstrapServers: pulumi.Input<string>;
  /** PEM of each CA that the listener's certificate may be trusted by, and the Secret to make of them. */
  readonly authorities: readonly pulumi.Input<string>[];
  readonly trustSecret: string;
  /** Which of TSB's kinds say what the gateway does, and whether it may have an EnvoyFilter. */
  readonly api: TsbConfiguration['api'];
  readonly envoyFilters: TsbConfiguration['envoyFilters'];
  readonly retries: Tier1Configuration['retries'];
  /** Where the region's gateway objects belong in TSB. */
  readonly tsb: GatewayParents;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen?: string | undefined;
}

/** One region's bridge, and the gateway that requests for it come in by. */
export class KafkaBridgeRegion extends pulumi.ComponentResource {
  /** What TSB calls the cluster. */
  readonly tsbCluster: pulumi.Output<string>;
  /** Name of the KafkaBridge, known when it is ready. */
  readonly bridge: pulumi.Output<string>;
  /** Service of the bridge that a peer region may serve as well. */
  readonly bridgeService: pulumi.Output<string>;
  /** Address of the gateway's load balancer. */
  readonly gatewayAddress: pulumi.Output<string>;
  /** URL that is pinned to this region. */
  readonly regionUrl: pulumi.Output<string>;

  constructor(name: string, args: KafkaBridgeRegionArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:KafkaBridgeRegion', name, {}, { ...opts, provider: args.cluster.provider });

    const { bridge, gateway, cluster } = args;
    // Labelled when it is made: a sidecar is injected only into pods that come after the label.
    const namespace = ownNamespace(name, { name: bridge.namespace, cluster: cluster.name, labels: injectionLabel(bridge), given: args.givenNamespace }, { parent: this });
    const made = makeBridge(name, args, { namespace, parent: this });
    const { install } = makeGateway(name, args, { namespace, parent: this });

    this.tsbCluster = pulumi.output(args.tsbCluster);
    this.bridge = made.metadata.name;
    this.bridgeService = makeServices(name, bridge, { namespace, parent: this });
    this.gatewayAddress = gatewayAddress(install, { namespace: bridge.namespace, name: gateway.name }, { cluster, service: gateway.service });
    this.regionUrl = pulumi.output(`${args.scheme}://${args.regionHostname}`);
    this.registerOutputs({
      cluster: cluster.name,
      tsbCluster: this.tsbCluster,
      bridge: this.bridge,
      bridgeService: this.bridgeService,
      gatewayAddress: this.gatewayAddress,
      regionUrl: this.regionUrl,
    });
  }
}

interface Where {
  /** Its name, known when it is there. */
  readonly namespace: pulumi.Output<string>;
  readonly parent: pulumi.Resource;
}

/** By which the mesh has a namespace's pods get a sidecar. */
function injectionLabel({ injection }: BridgeConfiguration): Record<string, string> {
  return injection === 'enabled' ? { 'istio-injection': 'enabled' } : { 'istio.io/rev': injection.revision };
}

function makeBridge(name: string, { cluster, bridge, strimziApi, operator, replicas, bootstrapServers, authorities, trustSecret, envoyFilters }: KafkaBridgeRegionArgs, { namespace, parent }: Where): KafkaBridge {
  const trusted = Object.fromEntries(authorities.map((authority, index) => [index === 0 ? 'ca.crt' : `ca-${index + 1}.crt`, authority]));
  const trust = new k8s.core.v1.Secret(`${name}-trust`, { metadata: { name: trustSecret, namespace }, stringData: trusted }, { parent });
  const rules = bridge.metrics === 'jmx' && strimziApi === 'v1' ? [bridgeMetrics(name, namespace, { parent })] : [];
  return untilReady(
    { apiVersion: apiVersion(strimziApi), kind: 'KafkaBridge', namespace: bridge.namespace, name: bridge.name },
    cluster,
    { waitFor: 'condition=Ready', seconds: Math.max(firstStatusSeconds, startSeconds * replicas) },
    ({ annotations, options }) =>
      new KafkaBridge(
        `${name}-bridge`,
        {
          api: strimziApi,
          metadata: { name: bridge.name, namespace, annotations },
          spec: bridgeSpec({ bridge, api: strimziApi, operator, replicas, bootstrapServers, trustSecret, trustEntries: Object.keys(trusted), envoyFilters }),
        },
        { parent, dependsOn: [trust, ...rules], ...options },
      ),
  );
}

/** Of a bridge whose pods do not start Strimzi says nothing before its own wait of 300 s is over: with a minute more its reason is there when the time is over. */
const firstStatusSeconds = 360;

/** Of one bridge with its proxy, on a node that may have to pull the images. A change makes them anew one by one, each when the one before is ready. */
const startSeconds = 60;

/** The Services that gateways reach the bridge by, and the name of the one that peers may serve. */
function makeServices(name: string, { name: bridge, service, port }: BridgeConfiguration, where: Where): pulumi.Output<string> {
  if (service === 'strimzi') return pulumi.output(strimziBridgeService(bridge));
  const { shared, local } = bridgeServices(bridge);
  const made = makeService(`${name}-shared`, { name: shared, labels: failoverLabel, selector: selectorOf(bridge), port }, where);
  makeService(`${name}-local`, { name: local, labels: {}, selector: { ...selectorOf(bridge), ...localPodLabel }, port }, where);
  return made.metadata.name;
}

interface BridgeService {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly selector: Record<string, string>;
  readonly port: number;
}

/** The port's name says HTTP/2, so that one warm connection, and with it one warm producer, serves everybody. */
function makeService(name: string, { name: service, labels, selector, port }: BridgeService, { namespace, parent }: Where): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      // Its endpoints are awaited with the bridge itself.
      metadata: { name: service, namespace, labels, annotations: { 'pulumi.com/skipAwait': 'true' } },
      spec: { selector, ports: [{ name: 'http2', port, targetPort: port }] },
    },
    { parent },
  );
}

/** The gateway's pods and Service, its routes, and what TSB has no field for, of the gateway and of the bridge's sidecars. */
function makeGateway(name: string, args: KafkaBridgeRegionArgs, { namespace, parent }: Where): ConfiguredGateway {
  const { cluster, bridge, gateway, ranked, tsb, acceptedWhen } = args;
  const place = { logicalName: name, cluster, namespace, namespaceName: bridge.namespace, name: gateway.name, routesName: gateway.routes, tsb, acceptedWhen };
  // Strimzi's own Service says no protocol: bridges are then spoken to by HTTP/1.1, which knows no pings.
  if (bridge.service === 'own') {
    internalFilter({ ...place, resourceName: `${name}-filter-sidecars`, name: `${bridge.name}-bridge` }, sidecarFilter({ labels: selectorOf(bridge.name), port: bridge.port }), parent);
  }
  return configuredGateway(
    place,
    {
      service: { ...gateway, ...(ranked ? { labels: { [rankLabel]: name } } : {}) },
      // Bridges and the gateway in their namespace are of one mesh.
      revision: bridge.injection === 'enabled' ? undefined : bridge.injection.revision,
      routes: regionRoutes({ ...args, region: name, gateway: gateway.name }),
      filter: regionFilter({ region: name, gateway: gateway.name, bridge }),
    },
    parent,
  );
}
