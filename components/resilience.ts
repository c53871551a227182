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
const unsent = 'connect-failure,refused-stream';

/** An EnvoyFilter sends the repetition to the next priority (envoy-filters.ts), so that one is enough, and a second in case. */
const few = { attempts: 2, retryBackOff: { baseInterval: '0.005s' } } satisfies Retries;

/**
 * Where none may, it goes to the same priority until the dead host is out. That is told by Envoy's main thread, which its statistics or a configuration keep for hundreds of
 * milliseconds at times: with the few above 141 to 313 of 576 unsent requests were given up under a constant reading of statistics, with these none.
 */
const many = { attempts: 6, retryBackOff: { baseInterval: '0.025s' } } satisfies Retries;

/** @param marked whether a bridge's sidecar marks what it could not send */
function unsentOnly({ envoyFilters }: Resilience, marked: boolean): Retries {
  if (envoyFilters === 'none') return { ...many, retryOn: unsent };
  return { ...few, retryOn: marked ? `${unsent},retriable-headers` : unsent };
}

/** What the way from tier1 to a region and back may add to a request. */
const hopMs = 1_000;

/** A region's gateway to its bridge, and to the peer region's gateway. Undefined: TSB's own. */
export function bridgeTraffic({ shared, local }: BridgeHosts, r: Resilience): UpstreamTrafficSetting[] | undefined {
  if (r.retries === 'tsb-default') return undefined;
  const { connectMs, perTryMs, routeMs, consumersMs } = r.timeouts;
  const retries = unsentOnly(r, true);
  // Behind a sidecar a dead bridge is a 503: the first one ejects. The peer's gateway is a host of the same name, so that connections to the own bridge have its time, too.
  const own = { connectMs, consecutiveGatewayFailure: 1 };
  // Polls go there as well, which may last longer than a record's try.
  if (local === undefined) return [upstream(shared, r, { ...own, retries, timeoutMs: consumersMs })];
  return [
    upstream(shared, r, { ...own, retries: { ...retries, perTryTimeout: seconds(perTryMs) }, timeoutMs: routeMs }),
    // Reading and committing belong to one consumer on one bridge: nobody else can answer them, and twice is not once. So one failure is nobody's gain, and none of the bridge's:
    // a poll that outlasts its time is one, and would take the bridge from all consumers.
    upstream(local, r, { connectMs: ownConnectMs, consecutiveGatewayFailure: 5, consecutiveLocalOriginFailure: 5, retries: { attempts: 0 }, timeoutMs: consumersMs }),
  ];
}

/** Tier1 to the regions' gateways: a region's own 5xx eject it only as a backstop, as its gateway has failed over already. Undefined: TSB's own. */
export function tier1Traffic(r: Resilience): UpstreamTrafficSetting[] | undefined {
  if (r.retries === 'tsb-default') return undefined;
  return [upstream('*', r, { connectMs: r.timeouts.connectMs, consecutiveGatewayFailure: 50, retries: unsentOnly(r, false), timeoutMs: tier1Timeouts(r.timeouts).consumersMs })];
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
  /** Connections refused or broken, and timeouts; one where nothing is said. */
  readonly consecutiveLocalOriginFailure?: number;
  readonly retries: Retries;
  readonly timeoutMs: number;
}

function upstream(host: string, { api, envoyFilters }: Resilience, { connectMs, retries, timeoutMs, ...counted }: Bounds): UpstreamTrafficSetting {
  return {
    hosts: [host],
    settings: {
      resilience: {
        circuitBreakerSensitivity: 'CUSTOM',
        outlierDetection: { ...ejection[envoyFilters], ...counted },
        connectionPool: { tcp: { connectTimeout: seconds(connectMs) }, http: { retries, ...(api === 'tier1gateway' ? { requestTimeout: seconds(timeoutMs) } : {}) } },
      },
    },
  };
}
