import assert from 'node:assert/strict';
import { hostPolicy, upstreamSettings } from '../../sandbox/operators/tsb/resilience.ts';

const outlierDetection = (resilience: object) => hostPolicy({ resilience }).trafficPolicy['outlierDetection'] as Record<string, unknown>;

describe('TSB resilience settings', () => {
  it('replay requests and eject after ten gateway errors where nothing is set, as TSB does', () => {
    const { retries, trafficPolicy, timeout } = hostPolicy({});
    assert.deepEqual(retries, { attempts: 2, retryOn: 'reset,connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,503' });
    assert.equal((trafficPolicy['outlierDetection'] as Record<string, unknown>)['consecutiveGatewayErrors'], 10);
    assert.deepEqual(trafficPolicy['connectionPool'], { tcp: { connectTimeout: '10s' }, http: {} });
    assert.equal(timeout, undefined);
  });

  it('know the sensitivities LOW, MEDIUM and HIGH as 20, 10 and 5 errors', () => {
    const errors = ['LOW', 'MEDIUM', 'HIGH'].map((circuitBreakerSensitivity) => outlierDetection({ circuitBreakerSensitivity })['consecutiveGatewayErrors']);
    assert.deepEqual(errors, [20, 10, 5]);
  });

  it('obey outlierDetection only with the CUSTOM sensitivity', () => {
    const custom = { consecutiveGatewayFailure: 3, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 1, baseEjectionTime: '2s', interval: '0.25s' };
    assert.equal(outlierDetection({ outlierDetection: custom })['consecutiveGatewayErrors'], 10);
    const obeyed = outlierDetection({ circuitBreakerSensitivity: 'CUSTOM', outlierDetection: custom });
    assert.deepEqual(obeyed, {
      consecutiveGatewayErrors: 3, consecutive5xxErrors: 0, interval: '0.25s', baseEjectionTime: '2s', maxEjectionPercent: 100, minHealthPercent: 0,
      splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 1,
    });
  });

  it('leave to Envoy what a DestinationRule cannot say', () => {
    const resilience = { circuitBreakerSensitivity: 'CUSTOM', outlierDetection: { maxEjectionTime: '5s', enforcingConsecutiveGatewayFailure: 50 } } as const;
    assert.deepEqual(hostPolicy({ resilience }).envoyOutlierDetection, { max_ejection_time: '5s', enforcing_consecutive_gateway_failure: 50 });
  });

  it('switch retries off by attempts 0, without a condition', () => {
    assert.deepEqual(hostPolicy({ resilience: { connectionPool: { http: { retries: { attempts: 0 } } } } }).retries, { attempts: 0 });
  });

  it('come from the most specific level and host that says something', () => {
    const entry = (hosts: string[], connectTimeout: string) => ({ hosts, settings: { resilience: { connectionPool: { tcp: { connectTimeout } } } } });
    const level = (...upstreamTrafficSettings: object[]) => ({ outbound: { upstreamTrafficSettings } });
    const timeout = (host: string) => upstreamSettings([
      undefined, level(entry(['*'], '1s'), entry(['*.example'], '2s'), entry(['kafka.example'], '3s')), level(entry(['elsewhere'], '4s')),
    ], host).resilience?.connectionPool?.tcp?.connectTimeout;
    assert.deepEqual(['kafka.example', 'east.example', 'elsewhere'].map(timeout), ['3s', '2s', '1s']);
    assert.deepEqual(upstreamSettings([level(entry(['a'], '1s')), level(entry(['b'], '2s'))], 'b').resilience?.connectionPool?.tcp?.connectTimeout, '2s');
  });
});
