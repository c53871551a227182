import { consumersPath } from '../../../components/region-routes.ts';
import { rankLabel } from '../../../components/tier1-routes.ts';
import { envoyBackoffMs, istioConnectTimeoutMs, repeatsRefused, repeatsWritten } from './configuration.ts';
import type { BridgeSettings, HopSettings, KafkaSettings } from './configuration.ts';
import { inOrder, patchesOfHost, patchesOfSidecars } from './filters.ts';
import type { PodLabels } from './filters.ts';
import { at, defined, duration, last, list, number, text, thousand } from './raw.ts';
import type { RawObject } from './raw.ts';
import { leadsTo, routesFor, servicesOf } from './routes.ts';
import type { AskedFor, Route } from './routes.ts';
import { policiesFor, ruleOf } from './rules.ts';
import type { Policy } from './rules.ts';

/** Objects of Istio, as one namespace has them. */
export interface IstioObjects {
  destinationRules: readonly RawObject[];
  virtualServices: readonly RawObject[];
  envoyFilters: readonly RawObject[];
}

/** What a cluster has about the way from one proxy to one host. */
export interface HopObjects extends IstioObjects {
  /** Fully qualified, as DestinationRules name it. */
  host: string;
  /** Of Istio's root namespace, as far as they are for this proxy's. */
  root?: IstioObjects;
  /** Istio's own settings, of its mesh configuration. */
  mesh?: unknown;
  /** By which host name the drill's requests come to the proxy; undefined: by whichever. */
  hostname?: string;
  topic?: string;
  /** Of the proxy's pods; undefined where nobody could tell. */
  proxyLabels?: PodLabels | undefined;
  /** Of the pods behind the host. */
  hostLabels?: PodLabels | undefined;
}

/** How a proxy treats a host, or undefined where no DestinationRule is for it. */
export function hopSettings(objects: HopObjects): HopSettings | undefined {
  const { host, root, proxyLabels, hostLabels, mesh } = objects;
  // Istio asks the proxy's own namespace first, where the host is as well, and its root namespace last.
  const rule = ruleOf(host, objects.destinationRules, proxyLabels) ?? ruleOf(host, root?.destinationRules ?? [], proxyLabels);
  if (rule === undefined) return undefined;
  const routes = routesOfRecords(objects);
  const destinations = routes.flatMap((route) => route.destinations).filter((to) => to.host === host);
  const envoyFilters = inOrder(root?.envoyFilters ?? [], objects.envoyFilters);
  const patches = patchesOfHost(envoyFilters, { host, ports: destinations.map(({ port }) => port), subsets: destinations.map(({ subset }) => subset) }, proxyLabels);
  const policies = (destinations.length === 0 ? [{ port: undefined, subset: '' }] : destinations).flatMap((to) => policiesFor(rule, to));
  const check = patches.flatMap((patch) => list(at(patch, 'health_checks'))).at(-1);
  // Sidecars speak what they are spoken to: without HTTP/2 from the proxy there are no pings behind it either.
  const own = slowestPing(patches);
  const pings = own && slowestPing([...patches, ...patchesOfSidecars(envoyFilters, hostLabels)]);
  const taken = longest(routes);
  return defined({
    connectTimeoutMs: duration(last(patches, 'connect_timeout')) ?? connectTimeoutMs(policies) ?? duration(at(mesh, 'connectTimeout')),
    ...ejectionOf(policies, patches),
    mergeWindowMs: duration(last(patches, 'common_lb_config', 'update_merge_window')),
    healthCheckIntervalMs: duration(at(check, 'interval')),
    healthCheckTimeoutMs: duration(at(check, 'timeout')),
    healthCheckUnhealthyThreshold: number(at(check, 'unhealthy_threshold')),
    healthCheckHealthyThreshold: number(at(check, 'healthy_threshold')),
    healthCheckUnhealthyIntervalMs: duration(at(check, 'unhealthy_interval')),
    healthCheckPath: text(at(check, 'http_health_check', 'path')),
    pingIntervalMs: pingIntervalMs(pings),
    pingTimeoutMs: duration(at(pings, 'timeout')),
    routeTimeoutMs: taken?.timeoutMs,
    retryOn: taken?.retryOn,
    retryAttempts: taken?.retryAttempts,
    retryBackoffMs: taken?.retryBackoffMs,
    perTryTimeoutMs: taken?.perTryTimeoutMs,
    anotherRepeats: taken !== undefined && !repeatsWritten(taken) && anyRepeats(objects) ? true : undefined,
    consumersStay: consumersStay(objects) ? true : undefined,
    firstRegion: policies.map(firstRegion).find((region) => region !== undefined),
    weighted: routes.some((route) => route.destinations.filter(({ hasWeight }) => hasWeight).length > 1) ? true : undefined,
  });
}

/** Whether Istio was told of a route to a host that takes records. */
export function takesRecords(objects: HopObjects): boolean {
  return routesOfRecords(objects).length > 0;
}

function routesOfRecords(objects: HopObjects): Route[] {
  return routesOf(objects, record(objects)).filter(leadsTo(objects.host));
}

/** Whether any route that may take a record, wherever it leads, sends again what may have been carried out; also one of those by which peers' gateways call a region's bridge, by its Service's name. */
function anyRepeats(objects: HopObjects): boolean {
  return routesOf(objects, record(objects), [objects.host]).some((route) => route.destinations.length > 0 && repeatsWritten(route));
}

function record(objects: HopObjects): AskedFor {
  return { method: 'POST', path: `/topics/${topicOf(objects)}` };
}

/** Whether consumers' requests go to another host than this one, which the peers serve as well. Of several routes that may take them one is enough: then their bound is the longer one. */
function consumersStay(objects: HopObjects): boolean {
  const group = `${consumersPath}/${topicOf(objects)}`;
  return [{ method: 'POST', path: group }, { method: 'GET', path: `${group}/instances/any/records` }]
    .flatMap((asked) => routesOf(objects, asked)).some((route) => route.destinations.length > 0 && !leadsTo(objects.host)(route));
}

function routesOf({ virtualServices, root, hostname, mesh }: HopObjects, asked: AskedFor, more: readonly string[] = []): Route[] {
  return routesFor(servicesOf([...virtualServices, ...root?.virtualServices ?? []], hostname === undefined ? undefined : [hostname, ...more]), asked, at(mesh, 'defaultHttpRetryPolicy'));
}

/** Where nobody says which, one by a name of the drill's kind. */
function topicOf({ topic = 'kbf-drill-0' }: HopObjects): string {
  return topic;
}

/** Of several routes that may take a record nobody knows which one does, so that each time is the longest of any, and the retries are those that help least: a bound has to hold. */
function longest(routes: readonly Route[]): Omit<Route, 'destinations'> | undefined {
  const [retries] = routes.toSorted((a, b) => Number(repeatsRefused(a)) - Number(repeatsRefused(b)));
  const most = (of: (route: Route) => number | undefined, unsaid = Infinity): number | undefined => longestOf(routes.map(of), unsaid);
  return retries && {
    retryOn: retries.retryOn, retryAttempts: retries.retryAttempts,
    timeoutMs: most(({ timeoutMs }) => timeoutMs), perTryTimeoutMs: most(({ perTryTimeoutMs }) => perTryTimeoutMs), retryBackoffMs: most(({ retryBackoffMs }) => retryBackoffMs, envoyBackoffMs),
  };
}

function connectTimeoutMs(policies: readonly Policy[]): number | undefined {
  return longestOf(policies.map(({ connectionPool }) => duration(at(connectionPool, 'tcp', 'connectTimeout'))), istioConnectTimeoutMs);
}

/** The longest of several times, of which one that is not said is as long as `unsaid`. */
function longestOf(times: readonly (number | undefined)[], unsaid: number): number | undefined {
  const longest = Math.max(...times.map((ms) => ms ?? unsaid));
  return times.find((ms) => (ms ?? unsaid) === longest);
}

/** Of the policies that may count the one that puts a host out last; filters have the last word. */
function ejectionOf(policies: readonly Policy[], patches: readonly unknown[]) {
  const errors = (policy: Policy, kind: string): number => number(at(policy.outlierDetection, kind)) || Number.MAX_SAFE_INTEGER;
  const patience = (policy: Policy): number => Math.min(errors(policy, 'consecutiveGatewayErrors'), errors(policy, 'consecutiveLocalOriginFailures'));
  const ejection = policies.toSorted((a, b) => patience(b) - patience(a))[0]?.outlierDetection;
  const patched = (name: string): unknown => last(patches, 'outlier_detection', name);
  return {
    consecutiveLocalOriginFailures: number(patched('consecutive_local_origin_failure')) ?? number(at(ejection, 'consecutiveLocalOriginFailures')),
    consecutiveGatewayErrors: number(patched('consecutive_gateway_failure')) ?? number(at(ejection, 'consecutiveGatewayErrors')),
    consecutive5xxErrors: number(patched('consecutive_5xx')) ?? number(at(ejection, 'consecutive5xxErrors')),
    ejectionMs: duration(patched('base_ejection_time')) ?? duration(at(ejection, 'baseEjectionTime')),
    maxEjectionMs: duration(patched('max_ejection_time')),
    ejectionIntervalMs: duration(patched('interval')) ?? duration(at(ejection, 'interval')),
    panicPercent: number(last(patches, 'common_lb_config', 'healthy_panic_threshold', 'value')) ?? number(at(ejection, 'minHealthPercent')),
  };
}

function firstRegion({ loadBalancer }: Policy): string | undefined {
  return text(list(at(loadBalancer, 'localityLbSetting', 'failoverPriority'))[0])?.split(`${rankLabel}=`)[1];
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
