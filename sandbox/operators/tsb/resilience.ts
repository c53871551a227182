import type { FailoverSettings, OutlierDetection, Retries, TrafficSettings, UpstreamSettings } from './model.ts';

/**
 * TSB's settings for one upstream host, as Istio (DestinationRule, VirtualService) and, where Istio has no field, Envoy say them.
 * What is unset gets TSB's own defaults as its rendered configuration shows them, also where they hurt: ejection only after 10
 * gateway errors, and 2 retries that replay a request which may have been processed.
 */
export interface HostPolicy {
  readonly trafficPolicy: Readonly<Record<string, unknown>>;
  readonly retries: Readonly<Record<string, unknown>>;
  /** Of a whole request where a rule sets none; undefined is none. */
  readonly timeout: string | undefined;
  /** Envoy's own outlier_detection fields that a DestinationRule cannot say. */
  readonly envoyOutlierDetection: Readonly<Record<string, unknown>>;
}

const sensitivities = { LOW: 20, MEDIUM: 10, HIGH: 5 } as const;
const defaultRetries = { attempts: 2, retryOn: 'reset,connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,503' } as const;

export function hostPolicy({ resilience, loadBalancer }: UpstreamSettings): HostPolicy {
  const { tcp, http } = resilience?.connectionPool ?? {};
  const { istio, envoy } = outlierDetection(resilience);
  const { keepAlive } = tcp ?? {};
  return {
    trafficPolicy: {
      connectionPool: {
        tcp: defined({
          connectTimeout: tcp?.connectTimeout ?? '10s',
          maxConnections: tcp?.maxConnections || undefined,
          tcpKeepalive: keepAlive && defined({ time: seconds(keepAlive.idleTime), interval: seconds(keepAlive.interval), probes: keepAlive.probes }),
        }),
        http: defined({ http2MaxRequests: http?.maxRequests || undefined, maxRequestsPerConnection: http?.maxRequestsPerConnection || undefined }),
      },
      loadBalancer: loadBalancing(loadBalancer),
      outlierDetection: istio,
    },
    retries: retryPolicy(http?.retries),
    timeout: http?.requestTimeout,
    envoyOutlierDetection: envoy,
  };
}

/** The priorities of endpoints of a host: TSB's failoverSettings as Istio's localityLbSetting (which may say only one of the ways). */
export function localityLbSetting({ failoverPriority, regionalFailover, topologyChoice }: FailoverSettings): object {
  if (failoverPriority?.length) return { enabled: true, failoverPriority };
  if (regionalFailover?.length) return { enabled: true, failover: regionalFailover.map(({ from, to }) => ({ from, to })) };
  if (topologyChoice === 'NONE') return { enabled: false };
  return { enabled: true, failoverPriority: topologyChoice === 'LOCALITY' ? localityOrder : clusterOrder };
}

const clusterOrder = ['topology.kubernetes.io/region', 'topology.istio.io/network', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];
const localityOrder = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

/** Of a list of levels, most specific first, the settings of the first that says something about the host; within a level the most specific host wins. */
export function upstreamSettings(levels: readonly (TrafficSettings | undefined)[], host: string): UpstreamSettings {
  for (const level of levels) {
    const matching = (level?.outbound?.upstreamTrafficSettings ?? [])
      .map(({ hosts, settings }) => ({ settings, fit: Math.max(-1, ...(hosts ?? ['*']).map((pattern) => fit(pattern, host))) }))
      .filter((entry) => entry.fit >= 0)
      .sort((one, other) => other.fit - one.fit);
    if (matching[0]) return matching[0].settings ?? {};
  }
  return {};
}

/** What the settings get wrong, by TSB's own validation. */
export function settingsProblem(settings: TrafficSettings | undefined): string | undefined {
  for (const { settings: one } of settings?.outbound?.upstreamTrafficSettings ?? []) {
    const { retryOn } = one?.resilience?.connectionPool?.http?.retries ?? {};
    const unknown = retryOn?.split(',').map((word) => word.trim()).find((word) => !retryConditions.has(word) && !/^[45]\d\d$/.test(word));
    if (unknown !== undefined) return `retryOn: "${unknown}" is not one of ${[...retryConditions].join(', ')} or a status code (4xx, 5xx)`;
  }
  return undefined;
}

/** TSB checks retryOn against a closed list; Envoy's reset-before-request is not on it. */
const retryConditions = new Set([
  '5xx', 'gateway-error', 'reset', 'connect-failure', 'retriable-4xx', 'refused-stream', 'retriable-status-codes', 'retriable-headers',
  'cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable',
]);

/** How well a pattern (`host`, `*.suffix`, `*`) fits: its length, or -1 if it does not. */
function fit(pattern: string, host: string): number {
  if (pattern === '*') return 0;
  if (pattern.startsWith('*')) return host.endsWith(pattern.slice(1)) ? pattern.length : -1;
  return pattern === host || pattern.split('/').at(-1) === host ? 1000 + pattern.length : -1;
}

function outlierDetection(resilience: UpstreamSettings['resilience']): { istio: object; envoy: Readonly<Record<string, unknown>> } {
  const sensitivity = resilience?.circuitBreakerSensitivity ?? 'UNSET';
  const custom: OutlierDetection = sensitivity === 'CUSTOM' ? resilience?.outlierDetection ?? {} : {};
  const gatewayErrors = sensitivity === 'CUSTOM' ? custom.consecutiveGatewayFailure ?? 5 : sensitivities[sensitivity === 'UNSET' ? 'MEDIUM' : sensitivity];
  return {
    istio: defined({
      consecutiveGatewayErrors: custom.enforcingConsecutiveGatewayFailure === 0 ? 0 : gatewayErrors,
      consecutive5xxErrors: custom.enforcingConsecutive5xx ? custom.consecutive5xx ?? 5 : 0,
      interval: custom.interval ?? '10s',
      baseEjectionTime: custom.baseEjectionTime ?? '30s',
      maxEjectionPercent: custom.maxEjectionPercent ?? 100,
      minHealthPercent: 0,
      splitExternalLocalOriginErrors: custom.splitExternalLocalOriginErrors,
      consecutiveLocalOriginFailures: custom.splitExternalLocalOriginErrors ? custom.consecutiveLocalOriginFailure ?? 5 : undefined,
    }),
    envoy: defined({
      max_ejection_time: custom.maxEjectionTime,
      enforcing_consecutive_gateway_failure: custom.enforcingConsecutiveGatewayFailure || undefined,
      enforcing_consecutive_5xx: custom.enforcingConsecutive5xx || undefined,
      enforcing_consecutive_local_origin_failure: custom.enforcingConsecutiveLocalOriginFailure,
    }),
  };
}

function retryPolicy(retries: Retries | undefined): Readonly<Record<string, unknown>> {
  return defined({
    attempts: retries?.attempts ?? defaultRetries.attempts,
    retryOn: retries?.attempts === 0 ? undefined : retries?.retryOn || defaultRetries.retryOn,
    perTryTimeout: retries?.perTryTimeout,
    backoff: retries?.retryBackOff?.baseInterval,
  });
}

function loadBalancing(settings: UpstreamSettings['loadBalancer']): Readonly<Record<string, unknown>> {
  if (settings?.consistentHash === undefined) return { simple: settings?.simple && settings.simple !== 'UNSPECIFIED' ? settings.simple : 'LEAST_REQUEST' };
  const { httpHeaderName, useSourceIp, httpCookie } = settings.consistentHash;
  return { consistentHash: defined({ httpHeaderName, useSourceIp, httpCookie }) };
}

function seconds(count: number | undefined): string | undefined {
  return count === undefined ? undefined : `${count}s`;
}

/** Without fields that are undefined: server-side apply would take null for a wish. */
export function defined<T extends Record<string, unknown>>(fields: T): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
