import { consumersPath } from '../../../components/region-routes.ts';
import { rankLabel } from '../../../components/tier1-routes.ts';
import type { BridgeSettings, HopSettings, KafkaSettings } from './configuration.ts';
import { patchesOfHost, patchesOfSidecars } from './filters.ts';
import type { PodLabels } from './filters.ts';
import { at, defined, duration, last, list, number, text, thousand } from './raw.ts';
import type { RawObject } from './raw.ts';

/** What a cluster has about the way from one proxy to one host. */
export interface HopObjects {
  /** Fully qualified, as DestinationRules name it. */
  host: string;
  destinationRules: readonly RawObject[];
  virtualServices: readonly RawObject[];
  envoyFilters: readonly RawObject[];
  /** Of the proxy's pods; undefined where nobody could tell. */
  proxyLabels?: PodLabels | undefined;
  /** Of the pods behind the host. */
  hostLabels?: PodLabels | undefined;
}

/** How a proxy treats a host, or undefined where no DestinationRule names it. */
export function hopSettings({ host, destinationRules, virtualServices, envoyFilters, proxyLabels, hostLabels }: HopObjects): HopSettings | undefined {
  const rule = destinationRules.find(({ spec }) => spec?.['host'] === host);
  if (rule === undefined) return undefined;
  const policy = at(rule.spec, 'trafficPolicy');
  const ejection = at(policy, 'outlierDetection');
  const routes = virtualServices.flatMap(({ spec }) => list(at(spec, 'http'))).filter((route) => list(at(route, 'route')).some((to) => at(to, 'destination', 'host') === host));
  // Of several routes the one with the shortest bound: consumers' polls are given longer.
  const route = routes.toSorted((a, b) => (duration(at(a, 'timeout')) ?? Infinity) - (duration(at(b, 'timeout')) ?? Infinity))[0];
  const destinations = routes.flatMap((each) => list(at(each, 'route'))).map((to) => at(to, 'destination')).filter((to) => at(to, 'host') === host);
  const patches = patchesOfHost(envoyFilters, { host, ports: destinations.map((to) => number(at(to, 'port', 'number'))), subsets: destinations.map((to) => text(at(to, 'subset')) ?? '') }, proxyLabels);
  const check = patches.flatMap((patch) => list(at(patch, 'health_checks'))).at(-1);
  // Sidecars speak what they are spoken to: without HTTP/2 from the proxy there are no pings behind it either.
  const own = slowestPing(patches);
  const pings = own && slowestPing([...patches, ...patchesOfSidecars(envoyFilters, hostLabels)]);
  return defined({
    connectTimeoutMs: duration(at(policy, 'connectionPool', 'tcp', 'connectTimeout')),
    consecutiveLocalOriginFailures: number(at(ejection, 'consecutiveLocalOriginFailures')),
    consecutiveGatewayErrors: number(at(ejection, 'consecutiveGatewayErrors')),
    ejectionMs: duration(at(ejection, 'baseEjectionTime')),
    maxEjectionMs: duration(last(patches, 'outlier_detection', 'max_ejection_time')),
    mergeWindowMs: duration(last(patches, 'common_lb_config', 'update_merge_window')),
    healthCheckIntervalMs: duration(at(check, 'interval')),
    healthCheckTimeoutMs: duration(at(check, 'timeout')),
    healthCheckUnhealthyThreshold: number(at(check, 'unhealthy_threshold')),
    healthCheckPath: text(at(check, 'http_health_check', 'path')),
    pingIntervalMs: pingIntervalMs(pings),
    pingTimeoutMs: duration(at(pings, 'timeout')),
    routeTimeoutMs: duration(at(route, 'timeout')),
    retryOn: text(at(route, 'retries', 'retryOn')),
    // Istio takes retries without attempts for none at all.
    retryAttempts: number(at(route, 'retries', 'attempts')) ?? (at(route, 'retries') === undefined ? undefined : 0),
    retryBackoffMs: duration(at(route, 'retries', 'backoff')),
    perTryTimeoutMs: duration(at(route, 'retries', 'perTryTimeout')),
    consumersStay: stays(host, virtualServices) ? true : undefined,
    firstRegion: text(list(at(policy, 'loadBalancer', 'localityLbSetting', 'failoverPriority'))[0])?.split(`${rankLabel}=`)[1],
    weighted: routes.some((each) => list(at(each, 'route')).filter((to) => number(at(to, 'weight')) !== undefined).length > 1) ? true : undefined,
  });
}

/** Whether consumers' requests go to another host than this one, which the peers serve as well. */
function stays(host: string, virtualServices: readonly RawObject[]): boolean {
  const consumers = virtualServices.flatMap(({ spec }) => list(at(spec, 'http'))).filter((route) => list(at(route, 'match')).some((match) => at(match, 'uri', 'prefix') === consumersPath));
  return consumers.length > 0 && consumers.every((route) => list(at(route, 'route')).every((to) => at(to, 'destination', 'host') !== host));
}

/** Pings of HTTP/2, in either of the forms in which an upstream's protocol is said; of several the slowest, as it has to be waited for. */
function slowestPing(patches: readonly unknown[]): unknown {
  const protocols = patches.map((patch) => at(patch, 'typed_extension_protocol_options', 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'));
  return protocols
    .flatMap((protocol) => ['explicit_http_config', 'use_downstream_protocol_config'].map((form) => at(protocol, form, 'http2_protocol_options', 'connection_keepalive')))
    .filter((found) => found !== undefined)
    .toSorted((a, b) => pingMs(b) - pingMs(a))[0];
}

function pingMs(pings: unknown): number {
  return (pingIntervalMs(pings) ?? 0) + (duration(at(pings, 'timeout')) ?? 0);
}

/** With what Envoy may add to each interval by chance: 15 % of it where nothing is said. */
function pingIntervalMs(pings: unknown): number | undefined {
  const interval = duration(at(pings, 'interval'));
  return interval === undefined ? undefined : Math.round(interval * (1 + (number(at(pings, 'interval_jitter', 'value')) ?? 15) / 100));
}

/** Times of a KafkaBridge's clients, and the probes of its Deployment. */
export function bridgeSettings(bridge: RawObject, deployment: RawObject | undefined): BridgeSettings & Record<string, string | number> {
  const consumer = at(bridge.spec, 'consumer', 'config');
  const pod = at(deployment?.spec, 'template', 'spec');
  const container = list(at(pod, 'containers'))[0];
  const probe = (name: string): Record<string, number | undefined> => ({
    [`${name}PeriodMs`]: thousand(at(container, `${name}Probe`, 'periodSeconds')), [`${name}TimeoutMs`]: thousand(at(container, `${name}Probe`, 'timeoutSeconds')),
    [`${name}Failures`]: number(at(container, `${name}Probe`, 'failureThreshold')),
  });
  return defined({
    replicas: number(at(bridge.spec, 'replicas')),
    deliveryTimeoutMs: number(at(bridge.spec, 'producer', 'config', 'delivery.timeout.ms')),
    maxBlockMs: number(at(bridge.spec, 'producer', 'config', 'max.block.ms')),
    acks: text(at(bridge.spec, 'producer', 'config', 'acks')),
    sessionTimeoutMs: number(at(consumer, 'session.timeout.ms')),
    heartbeatIntervalMs: number(at(consumer, 'heartbeat.interval.ms')),
    maxPollIntervalMs: number(at(consumer, 'max.poll.interval.ms')),
    idleConsumerMs: thousand(at(bridge.spec, 'consumer', 'timeoutSeconds')),
    gracePeriodMs: thousand(at(pod, 'terminationGracePeriodSeconds')),
    ...probe('readiness'), ...probe('liveness'),
  });
}

export function kafkaSettings(kafka: RawObject): KafkaSettings {
  const config = (name: string): number | undefined => number(at(kafka.spec, 'kafka', 'config', name));
  return defined({
    brokerSessionTimeoutMs: config('broker.session.timeout.ms'), controllerFetchTimeoutMs: config('controller.quorum.fetch.timeout.ms'), controllerElectionTimeoutMs: config('controller.quorum.election.timeout.ms'),
  });
}
