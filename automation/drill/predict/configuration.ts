import type { AppliedConfiguration } from '../plan.ts';
import type { Terms } from './predict.ts';

/** Names of the objects in an AppliedConfiguration: by them it is written (read.ts) and looked up here. */
export const objectName = {
  bridge: (region: string) => `${region} bridge`,
  upstream: (region: string) => `${region} gateway → bridge`,
  tier1: 'tier1 → regions',
  kafka: 'Kafka',
} as const;

/** A KafkaBridge, as far as its clients' times go. */
export interface BridgeSettings {
  deliveryTimeoutMs?: number;
  maxBlockMs?: number;
  sessionTimeoutMs?: number;
  heartbeatIntervalMs?: number;
  maxPollIntervalMs?: number;
  /** Probes of the kubelet, each so many failures in a row until it acts. */
  readinessPeriodMs?: number;
  readinessTimeoutMs?: number;
  readinessFailures?: number;
  /** A consumer without a request for so long goes; -1 or absent: it stays. */
  idleConsumerMs?: number;
}

/** How one proxy treats the hosts behind it. */
export interface HopSettings {
  /** What Istio calls them. */
  host?: string;
  connectTimeoutMs?: number;
  ejectionMs?: number;
  maxEjectionMs?: number;
  /** How often it is looked for hosts whose ejection is over. */
  ejectionIntervalMs?: number;
  /** So few healthy hosts, in percent, and all are tried whatever is known of them. */
  panicPercent?: number;
  consecutive5xxErrors?: number;
  consecutiveLocalOriginFailures?: number;
  consecutiveGatewayErrors?: number;
  mergeWindowMs?: number;
  retryOn?: string;
  retryAttempts?: number;
  retryBackoffMs?: number;
  perTryTimeoutMs?: number;
  routeTimeoutMs?: number;
  /** Another route than that of these retries may take records as well, and sends again what may have been carried out. */
  anotherRepeats?: boolean;
  healthCheckIntervalMs?: number;
  healthCheckTimeoutMs?: number;
  healthCheckUnhealthyThreshold?: number;
  healthCheckHealthyThreshold?: number;
  /** Between two checks of a host that failed them; default: as of any other. */
  healthCheckUnhealthyIntervalMs?: number;
  healthCheckPath?: string;
  /** HTTP/2 pings, of this proxy or of the sidecar behind it: an unanswered one ends the connection, and with it what waits there. */
  pingIntervalMs?: number;
  pingTimeoutMs?: number;
  /** Only at a region's gateway: requests of consumers go to its own bridge alone. */
  consumersStay?: boolean;
  /** Only at tier1: a share for each region, which nothing fails over from. */
  weighted?: boolean;
  /** Only at tier1: the region that the others stand by for. */
  firstRegion?: string;
}

export interface KafkaSettings {
  brokerSessionTimeoutMs?: number;
  controllerFetchTimeoutMs?: number;
  controllerElectionTimeoutMs?: number;
}

/** Undefined where the object could not be read. */
export function bridgeOf(configuration: AppliedConfiguration, region: string): BridgeSettings | undefined {
  return readable(configuration[objectName.bridge(region)]);
}

export function upstreamOf(configuration: AppliedConfiguration, region: string): HopSettings | undefined {
  return readable(configuration[objectName.upstream(region)]);
}

export function tier1Of(configuration: AppliedConfiguration): HopSettings | undefined {
  return readable(configuration[objectName.tier1]);
}

export function kafkaOf(configuration: AppliedConfiguration): KafkaSettings | undefined {
  return readable(configuration[objectName.kafka]);
}

function readable(settings: AppliedConfiguration[string] | undefined): AppliedConfiguration[string] | undefined {
  return settings === undefined || 'unreadable' in settings ? undefined : settings;
}

/** Kafka's own delivery.timeout.ms. */
export const kafkaDeliveryTimeoutMs = 120_000;

/** Kafka's own max.block.ms. */
const kafkaMaxBlockMs = 60_000;

/**
 * How long any of the regions' bridges may take to write a record, ms: its producer waits until it knows the record's topic, and tries from then on. Kafka's own times for one that does not say,
 * or could not be read.
 */
export function writtenWithinMs(configuration: AppliedConfiguration, regions: readonly string[]): number {
  return Math.max(...regions.map((region) => {
    const { maxBlockMs = kafkaMaxBlockMs, deliveryTimeoutMs = kafkaDeliveryTimeoutMs } = bridgeOf(configuration, region) ?? {};
    return maxBlockMs + deliveryTimeoutMs;
  }));
}

/** Conditions of a retry that a request meets only where it was never sent. The last is for answers that say so themselves. */
const neverSent = new Set(['connect-failure', 'refused-stream', 'retriable-headers']);

/** Whether a proxy on the way may send a request again that may have been carried out: by any of the routes that may take it, or as nobody could read them. */
export function proxiesRepeat(configuration: AppliedConfiguration, regions: readonly string[]): boolean {
  return [tier1Of(configuration), ...regions.map((region) => upstreamOf(configuration, region))].some((hop) => hop === undefined || hop.anotherRepeats === true || repeatsWritten(hop));
}

/** A route that says nothing has Istio's default, which repeats 503. */
export function repeatsWritten({ retryOn, retryAttempts }: Retries): boolean {
  return retryAttempts !== 0 && (retryOn === undefined || retryOn.split(',').some((condition) => !neverSent.has(condition.trim())));
}

/** What a route says of repetitions; undefined: nothing. */
export interface Retries {
  retryOn?: string | undefined;
  retryAttempts?: number | undefined;
}

/**
 * Whether a proxy tries another host where one refuses the connection, as every version of Istio does twice by itself for a route that says nothing. A route that says how often has
 * Istio's conditions where it names none.
 */
export function repeatsRefused({ retryOn, retryAttempts }: Retries): boolean {
  if (retryOn === undefined && retryAttempts === undefined) return true;
  return (retryAttempts ?? 0) > 0 && (retryOn === undefined || retryOn.split(',').some((condition) => refusal.has(condition.trim())));
}

/** Envoy's conditions that a refused connection meets: the last three mean it as well. */
const refusal = new Set(['connect-failure', '5xx', 'gateway-error', 'reset']);

/** Whether a health check finds a bridge without Kafka: by its list of topics, which it has from there. */
export function asksForKafka({ healthCheckPath = '' }: HopSettings): boolean {
  return healthCheckPath.includes('topics');
}

/** What was not read bounds nothing: a default would promise what a setting may have changed. */
export function unread(what: string): { none: string; unread: string } {
  return { none: `the settings of ${what} could not be read`, unread: what };
}

/** Why nothing bounds a fault of a region's gateway where tier1 gives each region a share. */
export const noFailover = { none: 'with weights nothing fails over', noFailover: true } as const;

/** Kafka's own broker.session.timeout.ms (KRaft). */
const kafkaBrokerSessionMs = 9000;

/** Kafka's own controller.quorum.fetch.timeout.ms and controller.quorum.election.timeout.ms. */
const kafkaElectionMs = { fetch: 2000, election: 1000 };

/**
 * Until a broker that died leads nothing any more, and no record waits for it: those that all in-sync replicas have to have wait in every partition that it holds. Its session begins
 * anew with the next controller where it was the active one, as the program's brokers are controllers as well.
 */
export function brokerDead({ brokerSessionTimeoutMs: ms, controllerFetchTimeoutMs: fetch, controllerElectionTimeoutMs: election }: KafkaSettings): Terms {
  const ofKafka = fetch === undefined && election === undefined ? 'Kafka\'s defaults of' : 'Kafka:';
  return [
    { name: 'another controller', ms: (fetch ?? kafkaElectionMs.fetch) + (election ?? kafkaElectionMs.election), from: `${ofKafka} controller.quorum.fetch.timeout.ms + controller.quorum.election.timeout.ms, where the broker was the active one` },
    brokerSession(ms),
  ];
}

function brokerSession(ms: number | undefined): Terms[number] {
  return { name: 'until the broker counts as dead', ms: ms ?? kafkaBrokerSessionMs, from: ms === undefined ? 'Kafka\'s default of broker.session.timeout.ms' : 'Kafka: broker.session.timeout.ms' };
}

/**
 * Worst time until an active health check finds a host that says nothing, ms: it said something just before, then each of so many checks waits
 * for its interval and its timeout. Undefined without one.
 */
export function detectionMs({ healthCheckIntervalMs: interval, healthCheckTimeoutMs: timeout, healthCheckUnhealthyThreshold: threshold }: HopSettings): number | undefined {
  return interval === undefined || timeout === undefined || threshold === undefined ? undefined : threshold * (interval + timeout);
}

/** Whether one failure puts a host out. */
export function ejectsAtOnce({ consecutiveGatewayErrors, consecutiveLocalOriginFailures }: HopSettings): boolean {
  return consecutiveGatewayErrors === 1 || consecutiveLocalOriginFailures === 1;
}

/** Worst time until an unanswered ping ends what waits at a host that says nothing: it answered one just before. None without pings. */
export function pingTerms({ pingIntervalMs: interval, pingTimeoutMs: timeout }: HopSettings, proxy: string): Terms {
  return interval === undefined || timeout === undefined ? [] : [{ name: 'HTTP/2 ping', ms: interval + timeout, from: `${proxy}: connection_keepalive, interval ${interval} + timeout ${timeout} ms` }];
}

/** Until gateways hear that a bridge's endpoint is gone: istiod gathers changes for 0.1 s after the last, and the kubelet tells of one at once. */
const endpointGoneMs = 1000;

/** Until the kubelet takes a bridge that hangs away from its Service: it answered a probe just before. None where its probe could not be read, or it has none. */
export function readinessTerms({ readinessPeriodMs: period, readinessTimeoutMs: timeout, readinessFailures: failures }: BridgeSettings): Terms {
  if (period === undefined || timeout === undefined || failures === undefined) return [];
  return [
    { name: 'readiness of the bridge', ms: failures * Math.max(period, timeout) + timeout, from: 'its Deployment: failureThreshold × the longer of periodSeconds and timeoutSeconds, + timeoutSeconds of readinessProbe, as nothing at the gateway puts it out' },
    { name: 'until gateways hear of it', ms: endpointGoneMs, from: 'istiod\'s default of PILOT_DEBOUNCE_AFTER, and room for the way' },
  ];
}

/** Why nothing bounds a hang where not even that takes the bridge away. */
export const neverOut = 'the gateway goes on sending requests to a bridge that hangs: nothing there puts it out, and no readiness probe of the bridge could be read';

/** Envoy's own where a route says nothing: retry_policy's base interval, of which the first repetition waits at most as long. */
export const envoyBackoffMs = 25;

/** Istio's own for every cluster of Envoy's, where its mesh configuration says no other (connectTimeout). */
export const istioConnectTimeoutMs = 10_000;

/** What a new connection takes at most, TLS included: to a host that lives, or until one that is silent is given up. */
export function connection(where: string, { connectTimeoutMs: ms }: HopSettings, proxy: string): Terms[number] {
  return { name: `connection ${where}`, ms: ms ?? istioConnectTimeoutMs, from: ms === undefined ? 'Istio\'s default' : `${proxy}: connectTimeout` };
}

/** What the typical request took at most where new clients were measured, ms. */
const nearbyMs = 50;

/**
 * How many answers a new client waits for before its first record. A producer: two connections to Kafka (TCP, TLS, versions: three each), where a topic's partitions are, and an id of its own. A consumer of the drill: a
 * connection to its gateway (TCP, TLS), its instance, what it reads, where from, a poll; its bridge's own client asks Kafka a dozen times for that, which is only a part of a request's way.
 */
const roundTrips = 8;

/** What a new client takes before its first record, ms: as measured nearby, and where the typical request takes longer than there, as much longer for each round trip. */
export function newClientMs(measuredMs: number, typicalMs: number): number {
  return measuredMs + roundTrips * Math.max(0, typicalMs - nearbyMs);
}

/** The term that comes first of several, any of which ends the same wait. */
export function first(terms: readonly [Terms[number], ...Terms]): Terms[number] {
  return terms.reduce((least, term) => (term.ms < least.ms ? term : least));
}
