import assert from 'node:assert/strict';
import type { HopSettings } from '../../automation/drill/predict/configuration.ts';
import { bridgeSettings, hopSettings, kafkaSettings } from '../../automation/drill/predict/extract.ts';
import type { RawObject } from '../../automation/drill/predict/raw.ts';

describe('the settings that objects of a cluster hold', () => {
  it('are none where no rule names the host', () => {
    assert.equal(hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'b' } }], virtualServices: [], envoyFilters: [] }), undefined);
  });

  it('leave out what is not said, or no duration, and take nothing of another host\'s filter', () => {
    const envoyFilters = [{ spec: { configPatches: [{ applyTo: 'CLUSTER', match: { cluster: { service: 'b' } }, patch: { value: { health_checks: [{ interval: '1s' }] } } }] } }];
    assert.deepEqual(hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'a', trafficPolicy: { connectionPool: { tcp: { connectTimeout: 'soon' } } } } }], virtualServices: [], envoyFilters }), {});
  });

  it('are those of the filters that Istio applies to the host\'s own cluster, at the gateway\'s own pods', () => {
    const host = 'a.ns.svc.cluster.local';
    const filter = (match: object, path: string, selector?: object): RawObject =>
      ({ spec: { ...(selector === undefined ? {} : { workloadSelector: { labels: selector } }), configPatches: [{ applyTo: 'CLUSTER', match, patch: { value: { health_checks: [{ http_health_check: { path } }] } } }] } });
    const to = { destination: { host, port: { number: 8080 }, subset: 'local' } };
    const path = (...filters: RawObject[]): string | undefined => hopSettings({
      host, destinationRules: [{ spec: { host } }], virtualServices: [{ spec: { http: [{ route: [to] }] } }], proxyLabels: { app: 'gateway', istio: 'ingress' },
      envoyFilters: [filter({ context: 'GATEWAY', cluster: { service: host } }, '/own', { app: 'gateway' }), ...filters],
    })?.healthCheckPath;
    for (const [what, cluster] of [
      ['every cluster', undefined], ['any that is not named', { name: '' }], ['its name', { name: `outbound|8080|local|${host}` }], ['its port', { portNumber: 8080 }], ['its service, port and subset', { service: host, portNumber: 8080, subset: 'local' }],
    ] as const) assert.equal(path(filter(cluster === undefined ? {} : { cluster }, '/another')), '/another', what);
    for (const [what, cluster] of [
      ['another host\'s name', { name: 'outbound|8080||ledger.payments.svc.cluster.local' }], ['a name besides which the service is nothing', { name: 'PassthroughCluster', service: host }], ['another port\'s name', { name: `outbound|9090|local|${host}` }],
      ['another subset\'s name', { name: `outbound|8080||${host}` }], ['another port', { service: host, portNumber: 9090 }], ['another subset', { service: host, subset: 'remote' }], ['another service', { service: 'b' }],
    ] as const) assert.equal(path(filter({ cluster }, '/another')), '/own', what);
    assert.equal(path(filter({ context: 'SIDECAR_OUTBOUND', cluster: { service: host } }, '/another')), '/own', 'a gateway is no sidecar');
    assert.equal(path(filter({ cluster: { service: host } }, '/another', { app: 'gateway', istio: 'ingress' })), '/another', 'pods with all of the labels');
    assert.equal(path(filter({ cluster: { service: host } }, '/another', { app: 'payments' })), '/own', 'other pods');
    assert.equal(path(filter({ cluster: { service: host } }, '/another', { app: 'gateway', version: '2' })), '/own', 'pods with one label more');
  });

  it('are times of several units, and retries that say no number are none', () => {
    const of = (connectTimeout: string, retries: object = {}): HopSettings | undefined => hopSettings({
      host: 'a', destinationRules: [{ spec: { host: 'a', trafficPolicy: { connectionPool: { tcp: { connectTimeout } } } } }], envoyFilters: [], virtualServices: [{ spec: { http: [{ route: [{ destination: { host: 'a' } }], ...retries }] } }],
    });
    for (const [duration, ms] of [['1m0s', 60_000], ['1m0.5s', 60_500], ['1h1m1s1ms', 3_661_001], ['250ms', 250], ['.5s', 500], ['1500us', 2], ['2m', 120_000]] as const) assert.deepEqual(of(duration), { connectTimeoutMs: ms }, duration);
    for (const duration of ['1m0', 'm', '1.2.3s', '-1s', '1d', '']) assert.deepEqual(of(duration), {}, duration);
    assert.equal(of('1s', { retries: {} })?.retryAttempts, 0);
    assert.equal(of('1s', { retries: { attempts: 3 } })?.retryAttempts, 3);
  });

  it('have the ejections that a rule says, unless a filter says another', () => {
    const outlierDetection = { consecutiveLocalOriginFailures: 2, consecutiveGatewayErrors: 1, consecutive5xxErrors: 0, baseEjectionTime: '2s', interval: '0.25s', minHealthPercent: 50 };
    const of = (value: object): HopSettings | undefined => hopSettings({
      host: 'a', destinationRules: [{ spec: { host: 'a', trafficPolicy: { outlierDetection } } }], virtualServices: [], envoyFilters: [{ spec: { configPatches: [{ applyTo: 'CLUSTER', match: { cluster: { service: 'a' } }, patch: { value } }] } }],
    });
    assert.deepEqual(of({}), { consecutiveLocalOriginFailures: 2, consecutiveGatewayErrors: 1, consecutive5xxErrors: 0, ejectionMs: 2000, ejectionIntervalMs: 250, panicPercent: 50 });
    const patched = { consecutive_local_origin_failure: 3, consecutive_gateway_failure: 4, consecutive_5xx: 5, base_ejection_time: '6s', max_ejection_time: '7s', interval: '8s' };
    assert.deepEqual(of({ outlier_detection: patched, common_lb_config: { healthy_panic_threshold: { value: 0 } } }), {
      consecutiveLocalOriginFailures: 3, consecutiveGatewayErrors: 4, consecutive5xxErrors: 5, ejectionMs: 6000, maxEjectionMs: 7000, ejectionIntervalMs: 8000, panicPercent: 0,
    });
  });

  it('have the slowest pings of a proxy and the sidecars behind it, and none of a sidecar\'s where the proxy speaks no HTTP/2', () => {
    const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
    const patch = (match: object, form: string, timeout: string): object => ({ applyTo: 'CLUSTER', match, patch: { value: { typed_extension_protocol_options: { [type]: { [form]: { http2_protocol_options: { connection_keepalive: { interval: '0.5s', timeout } } } } } } } });
    const gateway = patch({ context: 'GATEWAY', cluster: { service: 'a' } }, 'explicit_http_config', '1s');
    const sidecar = patch({ context: 'SIDECAR_INBOUND', cluster: { portNumber: 8080 } }, 'use_downstream_protocol_config', '2s');
    const settings = (...configPatches: object[]): HopSettings | undefined => hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'a' } }], virtualServices: [], envoyFilters: [{ spec: { configPatches } }] });
    // Envoy adds up to 15 % to an interval of which nothing is said.
    assert.deepEqual(settings(gateway), { pingIntervalMs: 575, pingTimeoutMs: 1000 });
    assert.deepEqual(settings(gateway, sidecar), { pingIntervalMs: 575, pingTimeoutMs: 2000 });
    assert.deepEqual(settings(sidecar), {});
    const jittered = { ...gateway, patch: JSON.parse(JSON.stringify((gateway as { patch: object }).patch).replace('"0.5s"', '"0.5s","interval_jitter":{"value":0}')) as object };
    assert.deepEqual(settings(jittered), { pingIntervalMs: 500, pingTimeoutMs: 1000 });
    const ofOthers = { spec: { workloadSelector: { labels: { app: 'payments' } }, configPatches: [sidecar] } };
    assert.deepEqual(hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'a' } }], virtualServices: [], envoyFilters: [{ spec: { configPatches: [gateway] } }, ofOthers], hostLabels: { app: 'bridge' } }), { pingIntervalMs: 575, pingTimeoutMs: 1000 });
  });

  it('tell weights, and are of the first route that takes records', () => {
    const to = (weight?: number): object => ({ destination: { host: 'a' }, ...(weight === undefined ? {} : { weight }) });
    const settings = hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'a' } }], envoyFilters: [], virtualServices: [{ spec: { http: [{ route: [to(70), to(30)], timeout: '1m' }, { route: [to(70), to(30)], timeout: '30s' }] } }] });
    assert.deepEqual(settings, { routeTimeoutMs: 60_000, weighted: true });
    const whole = hopSettings({ host: 'a', destinationRules: [{ spec: { host: 'a' } }], envoyFilters: [], virtualServices: [{ spec: { http: [{ route: [to(100)] }] } }] });
    assert.deepEqual(whole, {}, 'all of it is no share');
  });

  it('have the probes of a bridge\'s Deployment, and what Kafka says as text', () => {
    const deployment = { spec: { template: { spec: { terminationGracePeriodSeconds: 30, containers: [{ readinessProbe: { periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 3 } }] } } } };
    assert.deepEqual(bridgeSettings({ spec: { replicas: 1, consumer: { config: { 'session.timeout.ms': '6000' } } } }, deployment), {
      replicas: 1, sessionTimeoutMs: 6000, gracePeriodMs: 30_000, readinessPeriodMs: 2000, readinessTimeoutMs: 5000, readinessFailures: 3,
    });
    const config = { 'broker.session.timeout.ms': 3000, 'controller.quorum.fetch.timeout.ms': '1500', 'controller.quorum.election.timeout.ms': 500 };
    assert.deepEqual(kafkaSettings({ spec: { kafka: { config } } }), { brokerSessionTimeoutMs: 3000, controllerFetchTimeoutMs: 1500, controllerElectionTimeoutMs: 500 });
  });
});
