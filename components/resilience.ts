import type { BridgeConfiguration, Tier1Configuration, TsbConfiguration } from '../config/schema.ts';
import type { BridgeHosts } from './bridge-hosts.ts';
import type { OutlierDetection, Retries, UpstreamTrafficSetting } from './resources/tsb.ts';

/**
 * How failover is bounded, in one table: who is ejected when, and what is tried again.
 * Every number is there for the failed requests that its neighbours were measured to cost.
 */

/** What the bounds depend on. */
export interface Resilience {
  /** With `tsb-default` nothing is said, and TSB's own settings rule. */
  readonly retries: Tier1Configuration['retries'];
  /** Deprecated kinds say no timeout of a route, so it is said of the host. */
  readonly api: TsbConfiguration['api'];
  readonly envoyFilters: TsbConfiguration['envoyFilters'];
  /** Bounds of a request in a region, in milliseconds. */
  readonly timeouts: BridgeConfiguration['timeouts'];
}

/** A refused or broken connection ejects at once, and every host may be ejected. */
const atOnce = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailure: 1,
  interval: '0.25s',
  maxEjectionPercent: 100,
} satisfies Partial<OutlierDetection>;

const ejection = {
  /** Short, so that a blip never becomes an outage: coming back too early costs next to nothing. */
  'internal-group': { ...atOnce, baseEjectionTime: '2s', maxEjectionTime: '5s' },
  /**
   * Where no EnvoyFilter may set the merge window, a dead host that is let back in costs a second of errors (33 of 2,950 requests were
   * measured): so it stays out until its readiness has failed, which takes Kubernetes 6 s.
   */
  none: { ...atOnce, baseEjectionTime: '10s', maxEjectionTime: '60s' },
} satisfies Record<TsbConfiguration['envoyFilters'], Partial<OutlierDetection>>;

/** A connection within a region takes milliseconds or will not come. To another region it takes two round trips, one of them for TLS, which Envoy's bound of it includes. */
const ownConnectMs = 250;

/** Only what was never sent is sent again: anything else may produce a record twice. */
const unsentOnly = { attempts: 2, retryOn: 'connect-failure,refused-stream', retryBackOff: { baseInterval: '0.005s' } } satisfies Retries;

/** And what a bridge's sidecar marked as such, if an EnvoyFilter has it do so (envoy-filters.ts). */
const unsentOrMarked = { ...unsentOnly, retryOn: `${unsentOnly.retryOn},retriable-headers` } satisfies Retries;

/** What the way from tier1 to a region and back may add to a request. */
const hopMs = 1_000;

/** A region's gateway to its bridge, and to the peer region's gateway. Undefined: TSB's own. */
export function bridgeTraffic({ shared, local }: BridgeHosts, r: Resilience): UpstreamTrafficSetting[] | undefined {
  if (r.retries === 'tsb-default') return undefined;
  const { connectMs, perTryMs, routeMs, consumersMs } = r.timeouts;
  const retries = r.envoyFilters === 'none' ? unsentOnly : unsentOrMarked;
  return [
    // Behind a sidecar a dead bridge is a 503: the first one ejects. The peer's gateway is a host of the same name, so that connections to the own bridge have its time, too.
    upstream(shared, r, { connectMs, consecutiveGatewayFailure: 1, retries: { ...retries, perTryTimeout: seconds(perTryMs) }, timeoutMs: local === undefined ? consumersMs : routeMs }),
    // Reading and committing belong to one consumer on one bridge: nobody else can answer them, and twice is not once.
    ...(local === undefined ? [] : [upstream(local, r, { connectMs: ownConnectMs, consecutiveGatewayFailure: 5, retries: { attempts: 0 }, timeoutMs: consumersMs })]),
  ];
}

/** Tier1 to the regions' gateways: a region's own 5xx eject it only as a backstop, as its gateway has failed over already. Undefined: TSB's own. */
export function tier1Traffic(r: Resilience): UpstreamTrafficSetting[] | undefined {
  if (r.retries === 'tsb-default') return undefined;
  return [upstream('*', r, { connectMs: r.timeouts.connectMs, consecutiveGatewayFailure: 50, retries: unsentOnly, timeoutMs: tier1Timeouts(r.timeouts).consumersMs })];
}

/** Tier1's bounds of a request, in milliseconds: longer than a region's, so that the region answers first. */
export function tier1Timeouts({ routeMs, consumersMs }: BridgeConfiguration['timeouts']): { routeMs: number; consumersMs: number } {
  return { routeMs: routeMs + hopMs, consumersMs: consumersMs + hopMs };
}

/** A duration as TSB writes it. */
export function seconds(ms: number): string {
  return `${ms / 1_000}s`;
}

interface Bounds {
  readonly connectMs: number;
  readonly consecutiveGatewayFailure: number;
  readonly retries: Retries;
  readonly timeoutMs: number;
}

function upstream(host: string, { api, envoyFilters }: Resilience, { connectMs, consecutiveGatewayFailure, retries, timeoutMs }: Bounds): UpstreamTrafficSetting {
  return {
    hosts: [host],
    settings: {
      resilience: {
        circuitBreakerSensitivity: 'CUSTOM',
        outlierDetection: { ...ejection[envoyFilters], consecutiveGatewayFailure },
        connectionPool: { tcp: { connectTimeout: seconds(connectMs) }, http: { retries, ...(api === 'tier1gateway' ? { requestTimeout: seconds(timeoutMs) } : {}) } },
      },
    },
  };
}
