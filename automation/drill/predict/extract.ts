import { consumersPath } from '../../../components/region-routes.ts';
import { rankLabel } from '../../../components/tier1-routes.ts';
import type { BridgeSettings, HopSettings, KafkaSettings } from './configuration.ts';

/** Objects of Kubernetes as they are read: what is looked for may be missing anywhere. */
export interface RawObject {
  metadata?: { name?: string };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** What a cluster has about the way from one proxy to one host. */
export interface HopObjects {
  /** Fully qualified, as DestinationRules name it. */
  host: string;
  destinationRules: readonly RawObject[];
  virtualServices: readonly RawObject[];
  envoyFilters: readonly RawObject[];
}

/** How a proxy treats a host, or undefined where no DestinationRule names it. */
export function hopSettings({ host, destinationRules, virtualServices, envoyFilters }: HopObjects): HopSettings | undefined {
  const rule = destinationRules.find(({ spec }) => spec?.['host'] === host);
  if (rule === undefined) return undefined;
  const policy = at(rule.spec, 'trafficPolicy');
  const ejection = at(policy, 'outlierDetection');
  const all = envoyFilters.flatMap(({ spec }) => list(at(spec, 'configPatches')));
  const patches = all.filter((patch) => isAbout(patch, host)).map(value);
  const routes = virtualServices.flatMap(({ spec }) => list(at(spec, 'http'))).filter((route) => list(at(route, 'route')).some((to) => at(to, 'destination', 'host') === host));
  // Of several routes the one with the shortest bound: consumers' polls are given longer.
  const route = routes.toSorted((a, b) => (duration(at(a, 'timeout')) ?? Infinity) - (duration(at(b, 'timeout')) ?? Infinity))[0];
  const check = patches.flatMap((patch) => list(at(patch, 'health_checks'))).at(-1);
  // Sidecars speak what they are spoken to: without HTTP/2 from the proxy there are no pings behind it either.
  const own = slowestPing(patches);
  const pings = own && slowestPing([...patches, ...all.filter(isOfSidecars).map(value)]);
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
    retryAttempts: number(at(route, 'retries', 'attempts')),
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

/** Patches of clusters that are of this host, or of every host. */
function isAbout(patch: unknown, host: string): boolean {
  const service = at(patch, 'match', 'cluster', 'service');
  return at(patch, 'applyTo') === 'CLUSTER' && !isOfSidecars(patch) && (service === undefined || service === host);
}

/** Of what stands between the hosts of the same namespace and their proxy. */
function isOfSidecars(patch: unknown): boolean {
  return at(patch, 'match', 'context') === 'SIDECAR_INBOUND';
}

function value(patch: unknown): unknown {
  return at(patch, 'patch', 'value');
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

/** A duration of Go or protobuf (`0.25s`, `100ms`, `1m`), ms. */
function duration(value: unknown): number | undefined {
  const [, digits, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(typeof value === 'string' ? value : '') ?? [];
  return digits === undefined ? undefined : Math.round(Number(digits) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h']);
}

function thousand(value: unknown): number | undefined {
  const seconds = number(value);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Kafka's settings are numbers or text. */
function number(value: unknown): number | undefined {
  const read = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof read === 'number' && Number.isFinite(read) ? read : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((found, key) => (typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined), value);
}

/** Of several patches the last that says something. */
function last(values: readonly unknown[], ...path: string[]): unknown {
  return values.map((value) => at(value, ...path)).findLast((found) => found !== undefined);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends Record<string, unknown>>(fields: T): Defined<T> & Record<string, never> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T> & Record<string, never>;
}
