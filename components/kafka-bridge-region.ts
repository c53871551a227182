import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from './cluster.ts';
import { regionFilter } from './envoy-filters.ts';
import { type ConfiguredGateway, configuredGateway, gatewayAddress, type GatewayParents } from './gateway.ts';
import { bridgeGateway, bridgeName, bridgeNamespace, bridgePort, failoverLabel, localPodLabel, localService, sharedService, trustSecret } from '../config/names.ts';
import { untilReady } from './ready.ts';
import { type BridgeBounds, bridgeSpec, selectorOf } from './bridge-spec.ts';
import { regionRoutes } from './region-routes.ts';
import { KafkaBridge } from './resources/strimzi.ts';

export interface KafkaBridgeRegionArgs {
  readonly cluster: Cluster;
  /** Host name that all regions share. */
  readonly hostname: string;
  /** Host name that is pinned to this region: consumers made here are told to come back by it. */
  readonly regionHostname: string;
  /** Bridges. */
  readonly replicas: number;
  /** Bounds of the bridge's Kafka clients, and of requests to it. */
  readonly bounds: BridgeBounds;
  /** `host:port` of Kafka's TLS listener. */
  readonly bootstrapServers: pulumi.Input<string>;
  /** PEM that the listener's certificate is trusted by. */
  readonly caCertificate: pulumi.Input<string>;
  /** Where the region's gateway objects belong in TSB. */
  readonly tsb: GatewayParents;
  /** See the configuration's `tsb.acceptedWhen`. */
  readonly acceptedWhen?: string | undefined;
}

/** One region's bridge, and the gateway that requests for it come in by. */
export class KafkaBridgeRegion extends pulumi.ComponentResource {
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

    // Labelled when it is made: a sidecar is injected only into pods that come after the label.
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      { metadata: { name: bridgeNamespace, labels: { 'istio-injection': 'enabled' } } },
      { parent: this },
    );
    const bridge = makeBridge(name, args, namespace, this);
    const shared = makeService(`${name}-shared`, { name: sharedService, labels: failoverLabel, selector: selectorOf(bridgeName) }, namespace, this);
    makeService(`${name}-local`, { name: localService, labels: {}, selector: { ...selectorOf(bridgeName), ...localPodLabel } }, namespace, this);
    const { install } = makeGateway(name, args, namespace, this);

    this.bridge = bridge.metadata.name;
    this.bridgeService = shared.metadata.name;
    this.gatewayAddress = gatewayAddress(install, { namespace: bridgeNamespace, name: bridgeGateway }, args.cluster);
    this.regionUrl = pulumi.output(`http://${args.regionHostname}`);
    this.registerOutputs({ cluster: args.cluster.name, bridge: this.bridge, bridgeService: this.bridgeService, gatewayAddress: this.gatewayAddress, regionUrl: this.regionUrl });
  }
}

function makeBridge(name: string, args: KafkaBridgeRegionArgs, namespace: k8s.core.v1.Namespace, parent: pulumi.Resource): KafkaBridge {
  const trust = new k8s.core.v1.Secret(
    `${name}-trust`,
    { metadata: { name: trustSecret, namespace: namespace.metadata.name }, stringData: { 'ca.crt': args.caCertificate } },
    { parent },
  );
  return untilReady(
    { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', namespace: bridgeNamespace, name: bridgeName },
    args.cluster,
    { waitFor: 'condition=Ready', seconds: 300 },
    ({ annotations, options }) =>
      new KafkaBridge(
        `${name}-bridge`,
        {
          metadata: { name: bridgeName, namespace: namespace.metadata.name, annotations },
          spec: bridgeSpec({ replicas: args.replicas, bootstrapServers: args.bootstrapServers, bounds: args.bounds }),
        },
        { parent, dependsOn: [trust], ...options },
      ),
  );
}

interface BridgeService {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly selector: Record<string, string>;
}

/** The port's name says HTTP/2, so that one warm connection, and with it one warm producer, serves everybody. */
function makeService(name: string, { name: service, labels, selector }: BridgeService, namespace: k8s.core.v1.Namespace, parent: pulumi.Resource): k8s.core.v1.Service {
  return new k8s.core.v1.Service(
    name,
    {
      // Its endpoints are awaited with the bridge itself.
      metadata: { name: service, namespace: namespace.metadata.name, labels, annotations: { 'pulumi.com/skipAwait': 'true' } },
      spec: { selector, ports: [{ name: 'http2', port: bridgePort, targetPort: bridgePort }] },
    },
    { parent },
  );
}

/** The gateway's pods and Service, its routes, and what TSB has no field for. */
function makeGateway(name: string, args: KafkaBridgeRegionArgs, namespace: k8s.core.v1.Namespace, parent: pulumi.Resource): ConfiguredGateway {
  const { hostname, regionHostname, bounds } = args;
  const gateway = { logicalName: name, cluster: args.cluster, namespace, namespaceName: bridgeNamespace, name: bridgeGateway, tsb: args.tsb, acceptedWhen: args.acceptedWhen };
  return configuredGateway(gateway, { service: {}, routes: regionRoutes({ hostname, regionHostname, timeouts: bounds.timeouts }), filter: regionFilter(name) }, parent);
}
