import { localService, serviceHost, sharedService, bridgeNamespace } from '../config/names.ts';
import type { OutlierDetection, Retries, UpstreamTrafficSetting } from './resources/tsb.ts';

/**
 * How failover is bounded, in one table: who is ejected when, and what is tried again.
 * Every number is there for the failed requests that its neighbours were measured to cost.
 */

/** A refused or broken connection ejects at once. Ejections are short, so that a blip never becomes an outage, and every host may be ejected. */
const ejection = {
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailure: 1,
  interval: '0.25s',
  baseEjectionTime: '2s',
  maxEjectionTime: '5s',
  maxEjectionPercent: 100,
} satisfies Partial<OutlierDetection>;

/** A connection within a region, or to the gateway of another, takes milliseconds or will not come. */
const connectTimeout = '0.25s';

/** Only what was never sent is sent again: anything else may produce a record twice. */
const unsentOnly = { attempts: 2, retryOn: 'connect-failure,refused-stream', retryBackOff: { baseInterval: '0.005s' } } satisfies Retries;

/** A region's gateway to its bridge, and to the peer region's gateway. */
export function bridgeTraffic(perTryMs: number): UpstreamTrafficSetting[] {
  return [
    // Behind a sidecar a dead bridge is a 503, which nobody may try again: the first one ejects.
    upstream(serviceHost(sharedService, bridgeNamespace), 1, { ...unsentOnly, perTryTimeout: seconds(perTryMs) }),
    // Reading and committing belong to one consumer on one bridge: nobody else can answer them, and twice is not once.
    upstream(serviceHost(localService, bridgeNamespace), 5, { attempts: 0 }),
  ];
}

/** Tier1 to the regions' gateways: a region's own 5xx eject it only as a backstop, as its gateway has failed over already. */
export function tier1Traffic(): UpstreamTrafficSetting[] {
  return [upstream('*', 50, unsentOnly)];
}

/** A duration as TSB writes it. */
export function seconds(ms: number): string {
  return `${ms / 1_000}s`;
}

function upstream(host: string, consecutiveGatewayFailure: number, retries: Retries): UpstreamTrafficSetting {
  return {
    hosts: [host],
    settings: {
      resilience: {
        circuitBreakerSensitivity: 'CUSTOM',
        outlierDetection: { ...ejection, consecutiveGatewayFailure },
        connectionPool: { tcp: { connectTimeout }, http: { retries } },
      },
    },
  };
}
