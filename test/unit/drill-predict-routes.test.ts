import assert from 'node:assert/strict';

import { objectName, proxiesRepeat } from '../../automation/drill/predict/configuration.ts';
import type { HopSettings } from '../../automation/drill/predict/configuration.ts';
import { hopSettings } from '../../automation/drill/predict/extract.ts';
import type { HopObjects } from '../../automation/drill/predict/extract.ts';
import type { RawObject } from '../../automation/drill/predict/raw.ts';

const host = 'bridge.ns.svc.cluster.local';
const none = { destinationRules: [], virtualServices: [], envoyFilters: [] };
const rule = (connectTimeout: string, more: object = {}): RawObject => ({ spec: { host, trafficPolicy: { connectionPool: { tcp: { connectTimeout } } }, ...more } });

/** A route to the bridge that says 30 s and repeats what may have been written. */
const replaying = { timeout: '30s', retries: { attempts: 2, retryOn: '5xx,reset' }, route: [{ destination: { host, port: { number: 8080 } } }] };
/** One that says 5 s and repeats what was never sent. */
const safe = { ...replaying, timeout: '5s', retries: { attempts: 2, retryOn: 'connect-failure' } };
const matching = (match: object): object => ({ ...replaying, match: [match] });
const service = (http: object[], more: object = {}): RawObject => ({ metadata: { namespace: 'ns' }, spec: { hosts: ['kafka.example'], gateways: ['ns/gateway'], http, ...more } });

function settings(objects: Partial<HopObjects>): HopSettings {
  return hopSettings({ host, hostname: 'kafka.example', topic: 'orders', ...none, destinationRules: [rule('1s')], ...objects }) ?? assert.fail('no rule');
}

function routed(...virtualServices: RawObject[]): [retryOn: string | undefined, timeoutMs: number | undefined, repeats: boolean] {
  const found = settings({ virtualServices });
  const tier1 = { ...found, retryOn: 'connect-failure', anotherRepeats: false };
  return [found.retryOn, found.routeTimeoutMs, proxiesRepeat({ [objectName.tier1]: tier1, [objectName.upstream('east')]: { ...found } }, ['east'])];
}

const [ofReplaying, ofSafe] = [['5xx,reset', 30_000, true], ['connect-failure', 5000, false]] as const;
/** Which of both it is nobody knows. */
const ofEither = ofReplaying;

describe('the route of records', () => {
  for (const [what, match, expected] of [
    ['its prefix', { uri: { prefix: '/topics' } }, ofReplaying],
    ['all of its path', { uri: { exact: '/topics/orders' } }, ofReplaying],
    ['an expression of its path', { uri: { regex: '/topics/[^/]+' } }, ofReplaying],
    ['its path in other letters', { uri: { prefix: '/TOPICS' }, ignoreUriCase: true }, ofReplaying],
    ['its method', { method: { exact: 'POST' } }, ofReplaying],
    ['a name for the match alone', { name: 'all' }, ofReplaying],
    ['another path', { uri: { prefix: '/consumers' } }, ofSafe],
    ['another topic', { uri: { exact: '/topics/payments' } }, ofSafe],
    ['an expression of a part of its path', { uri: { regex: '/topics' } }, ofSafe],
    ['an expression of several of which none is all of its path', { uri: { regex: '/topics|/orders' } }, ofSafe],
    ['another method', { uri: { prefix: '/topics' }, method: { exact: 'GET' } }, ofSafe],
    ['sidecars alone', { uri: { prefix: '/topics' }, gateways: ['mesh'] }, ofSafe],
    ['headers that nobody knows', { uri: { prefix: '/topics' }, headers: { canary: { exact: 'true' } } }, ofEither],
    ['a port that nobody knows', { port: 80 }, ofEither],
    ['an expression that only Envoy knows', { uri: { regex: '(?i)/topics/.*\\z' } }, ofEither],
  ] as const) {
    it(`is the first where that matches ${what}, as far as can be told`, () => {
      assert.deepEqual(routed(service([matching(match), safe])), expected);
    });
  }

  it('is the first for certain where its match has besides what decides nothing', () => {
    for (const more of [{ name: 'all' }, { statPrefix: 'all' }, { gateways: ['mesh', 'ns/gateway'] }]) assert.deepEqual(routed(service([{ ...safe, match: [{ uri: { prefix: '/topics' }, ...more }] }, replaying])), ofSafe, JSON.stringify(more));
    assert.deepEqual(routed(service([safe], { gateways: ['mesh', 'ns/gateway'] })), ofSafe, 'of sidecars as well');
  });

  it('is the first whose match takes them, not the one with the shortest time', () => {
    assert.deepEqual(routed(service([matching({ uri: { prefix: '/topics' } }), safe])), ofReplaying);
    assert.deepEqual(routed(service([safe, replaying])), ofSafe);
    assert.deepEqual(routed(service([{ ...safe, match: [{ headers: {} }] }, replaying])), ['connect-failure', 30_000, true], 'or of each that may be it: the longest time, and whatever it repeats');
    assert.deepEqual(routed(service([{ ...replaying, match: [{ uri: { prefix: '/consumers' } }, { uri: { prefix: '/topics' } }] }, safe])), ofReplaying, 'any of its matches');
  });

  it('is of the host name that they come by', () => {
    assert.deepEqual(routed(service([replaying], { hosts: ['payments.example'] }), service([safe])), ofSafe);
    assert.deepEqual(routed(service([replaying], { hosts: ['*.example'] }), service([safe])), ofEither);
    assert.deepEqual(routed(service([replaying], { gateways: ['mesh'] }), service([safe])), ofSafe);
    assert.deepEqual(routed(service([replaying], { hosts: undefined }), service([safe])), ofEither, 'one that others delegate to names none');
  });

  it('bounds by that of clients alone, and repeats also by that of peers, who call the bridge by its own name', () => {
    assert.deepEqual(routed(service([replaying], { hosts: [host] }), service([safe])), ['connect-failure', 5000, true]);
    assert.deepEqual(routed(service([{ ...replaying, match: [{ headers: {} }], route: [{ destination: { host: 'canary' } }] }, safe])), ['connect-failure', 5000, true], 'also by one that may lead elsewhere');
    assert.deepEqual(routed(service([{ match: [{ headers: {} }], redirect: { uri: '/' } }, safe])), ofSafe, 'but none that asks no host');
    assert.deepEqual(routed(service([replaying], { hosts: ['bridge'] }), service([safe])), ['connect-failure', 5000, true], 'by its short name');
  });

  it('has the longest of each time where any of several may be it, and the retries that help least', () => {
    const first = { ...matching({ headers: {} }), timeout: '9s', retries: { attempts: 2, retryOn: 'connect-failure', perTryTimeout: '2s' } };
    const then = { ...safe, timeout: '8s', retries: { attempts: 0, perTryTimeout: '3s', backoff: '0.1s' } };
    const { routeTimeoutMs, perTryTimeoutMs, retryBackoffMs, retryAttempts } = settings({ virtualServices: [service([first, then])] });
    assert.deepEqual([routeTimeoutMs, perTryTimeoutMs, retryBackoffMs, retryAttempts], [9000, 3000, 100, 0]);
    assert.equal(settings({ virtualServices: [service([first, { ...safe, timeout: undefined }])] }).routeTimeoutMs, undefined, 'none is the longest');
  });

  it('has no limit of 0, and what Istio\'s mesh configuration says of retries where it says nothing', () => {
    const unsaid = { ...safe, timeout: '0s', retries: undefined };
    const { routeTimeoutMs, retryAttempts } = settings({ virtualServices: [service([unsaid])], mesh: { defaultHttpRetryPolicy: { attempts: 0 } } });
    assert.deepEqual([routeTimeoutMs, retryAttempts], [undefined, 0]);
    assert.equal(settings({ virtualServices: [service([unsaid])] }).retryAttempts, undefined);
  });

  it('keeps consumers where the first that takes their paths leads elsewhere', () => {
    const local = { route: [{ destination: { host: 'local.ns.svc.cluster.local' } }] };
    const stays = (...http: object[]): boolean | undefined => settings({ virtualServices: [service(http)] }).consumersStay;
    for (const uri of [{ prefix: '/consumers' }, { prefix: '/c' }, { regex: '/consumers/.*' }]) assert.equal(stays({ ...local, match: [{ uri }] }, safe), true, JSON.stringify(uri));
    for (const method of ['POST', 'GET']) assert.equal(stays({ ...local, match: [{ uri: { prefix: '/consumers' }, method: { exact: method } }] }, safe), true, method);
    assert.equal(stays(safe, local), undefined);
    assert.equal(stays({ ...local, match: [{ uri: { prefix: '/consumers' }, headers: {} }] }, safe), true, 'one that may take them is enough, as that bound is the longer one');
    assert.equal(stays({ ...local, match: [{ uri: { prefix: '/consumers' }, gateways: ['mesh'] }] }, safe), undefined);
    assert.equal(stays({ ...local, match: [{ uri: { prefix: '/topics' } }] }, safe), undefined);
  });
});

describe('the rule of a host', () => {
  const connected = (objects: Partial<HopObjects>): number | undefined => settings({ virtualServices: [service([safe])], ...objects }).connectTimeoutMs;
  const policy = (connectTimeout: string, more: object = {}): object => ({ connectionPool: { tcp: { connectTimeout } }, ...more });

  it('is that of the port that requests go to, which has nothing of the others', () => {
    const ofPort = (number: number, settings: object): object => ({ trafficPolicy: policy('1s', { outlierDetection: { consecutiveGatewayErrors: 1, baseEjectionTime: '2s' }, portLevelSettings: [{ port: { number }, ...settings }] }) });
    const of = (more: object): HopSettings => settings({ virtualServices: [service([safe])], destinationRules: [rule('1s', more)] });
    assert.equal(of(ofPort(8080, policy('9s'))).connectTimeoutMs, 9000);
    assert.equal(of(ofPort(8080, policy('9s'))).consecutiveGatewayErrors, undefined);
    assert.equal(of(ofPort(8080, policy('9s', { outlierDetection: { consecutiveGatewayErrors: 7 } }))).consecutiveGatewayErrors, 7);
    assert.equal(of(ofPort(9090, policy('9s'))).connectTimeoutMs, 1000);
    assert.equal(of(ofPort(9090, policy('9s'))).consecutiveGatewayErrors, 1);
  });

  it('is the one with the longest times where a route leaves the port open', () => {
    const anyPort = service([{ ...safe, route: [{ destination: { host } }] }]);
    const of = (ofPort: string, consecutiveGatewayErrors = 5): HopSettings => settings({
      virtualServices: [anyPort],
      destinationRules: [rule('1s', { trafficPolicy: policy('1s', { outlierDetection: { consecutiveGatewayErrors: 1 }, portLevelSettings: [{ port: { number: 8080 }, ...policy(ofPort, { outlierDetection: { consecutiveGatewayErrors } }) }] }) })],
    });
    assert.deepEqual([of('9s').connectTimeoutMs, of('9s').consecutiveGatewayErrors], [9000, 5]);
    assert.deepEqual([of('0.5s').connectTimeoutMs, of('0.5s').consecutiveGatewayErrors], [1000, 5]);
    assert.equal(of('soon').connectTimeoutMs, undefined, 'Istio\'s own is longer');
    assert.equal(of('1s', 0).consecutiveGatewayErrors, 0, 'that puts none out');
  });

  it('is laid over by that of the subset that requests go to, and by its settings of their port', () => {
    const toSubset = service([{ ...safe, route: [{ destination: { host, port: { number: 8080 }, subset: 'v1' } }] }]);
    const subsets = (trafficPolicy: object): object => ({ subsets: [{ name: 'v2', trafficPolicy: policy('7s') }, { name: 'v1', trafficPolicy }] });
    const of = (trafficPolicy: object): HopSettings => settings({ virtualServices: [toSubset], destinationRules: [rule('1s', { ...subsets(trafficPolicy), trafficPolicy: policy('1s', { outlierDetection: { baseEjectionTime: '2s' } }) })] });
    assert.deepEqual([of(policy('9s')).connectTimeoutMs, of(policy('9s')).ejectionMs], [9000, 2000]);
    assert.equal(of({ outlierDetection: { baseEjectionTime: '30s' } }).ejectionMs, 30_000);
    assert.equal(of({ outlierDetection: {} }).connectTimeoutMs, 1000);
    assert.equal(of(policy('9s', { portLevelSettings: [{ port: { number: 8080 }, ...policy('11s') }] })).connectTimeoutMs, 11_000);
    assert.equal(connected({ destinationRules: [rule('1s', subsets(policy('9s')))] }), 1000, 'not where a route names none');
    assert.equal(settings({ virtualServices: [toSubset], destinationRules: [rule('1s'), { spec: { host, ...subsets(policy('9s')) } }] }).connectTimeoutMs, 9000, 'whichever rule of the host has the subset');
  });

  it('is its own before those of many, of these the longest, and of the same name the oldest', () => {
    const named = (host: string, connectTimeout: string, metadata: RawObject['metadata'] = {}): RawObject => ({ metadata: { namespace: 'ns', ...metadata }, spec: { host, trafficPolicy: policy(connectTimeout) } });
    const many = [named('*', '2s'), named('*.ns.svc.cluster.local', '3s'), named('*.local', '4s')];
    assert.equal(connected({ destinationRules: [...many, named(host, '5s')] }), 5000);
    assert.equal(connected({ destinationRules: many }), 3000);
    assert.equal(connected({ destinationRules: [...many, named('bridge', '6s')] }), 6000, 'a short name is of its own namespace');
    assert.equal(connected({ destinationRules: [named(host, '7s', { creationTimestamp: '2026-02-01T00:00:00Z' }), named(host, '8s', { creationTimestamp: '2026-01-01T00:00:00Z' })] }), 8000);
  });

  it('is one for other pods only where nobody could tell which these are', () => {
    const forPayments = rule('9s', { workloadSelector: { matchLabels: { app: 'payments' } } });
    assert.equal(connected({ destinationRules: [rule('1s'), forPayments], proxyLabels: { app: 'gateway' } }), 1000);
    assert.equal(connected({ destinationRules: [rule('1s'), forPayments], proxyLabels: { app: 'payments' } }), 9000);
    assert.equal(connected({ destinationRules: [rule('1s'), forPayments], proxyLabels: undefined }), 9000);
  });

  it('is that of Istio\'s root namespace where its own has none, even one of many', () => {
    const root = { ...none, destinationRules: [{ spec: { host: '*.local', trafficPolicy: policy('9s') } }] };
    assert.equal(connected({ root, destinationRules: [] }), 9000);
    assert.equal(connected({ root }), 1000);
    assert.equal(connected({ root, destinationRules: [{ spec: { host: '*', trafficPolicy: policy('2s') } }] }), 2000);
  });

  it('has Istio\'s own time for a connection where it says none', () => {
    assert.equal(connected({ destinationRules: [{ spec: { host } }], mesh: { connectTimeout: '4s' } }), 4000);
    assert.equal(connected({ mesh: { connectTimeout: '4s' } }), 1000);
  });
});

describe('the filters of a host', () => {
  const filter = (value: object, more: object = {}, metadata: RawObject['metadata'] = {}): RawObject => ({ metadata, spec: { configPatches: [{ applyTo: 'CLUSTER', match: { cluster: { service: host } }, patch: { value } }], ...more } });
  const merge = (window: string, more: object = {}, metadata?: RawObject['metadata']): RawObject => filter({ common_lb_config: { update_merge_window: window } }, more, metadata);
  const windowOf = (own: RawObject[], ofRoot: RawObject[] = []): number | undefined => settings({ envoyFilters: own, root: { ...none, envoyFilters: ofRoot } }).mergeWindowMs;

  it('are applied by priority, those of the root namespace first, then the older', () => {
    assert.equal(windowOf([], [merge('7s')]), 7000);
    assert.equal(windowOf([merge('1s')], [merge('7s')]), 1000);
    assert.equal(windowOf([merge('1s')], [merge('7s', { priority: 1 })]), 7000);
    assert.equal(windowOf([merge('1s', { priority: 10 }), merge('2s', { priority: -10 })]), 1000);
    assert.equal(windowOf([merge('1s', {}, { creationTimestamp: '2026-02-01T00:00:00Z' }), merge('2s', {}, { creationTimestamp: '2026-01-01T00:00:00Z' })]), 1000);
  });

  it('have the last word over the rule', () => {
    const outlier_detection = { consecutive_gateway_failure: 3, consecutive_5xx: 4, consecutive_local_origin_failure: 5, base_ejection_time: '6s', interval: '7s' };
    const found = settings({ envoyFilters: [filter({ connect_timeout: '8s', outlier_detection, common_lb_config: { healthy_panic_threshold: { value: 9 } } })] });
    assert.partialDeepStrictEqual(found, { connectTimeoutMs: 8000, consecutiveGatewayErrors: 3, consecutive5xxErrors: 4, consecutiveLocalOriginFailures: 5, ejectionMs: 6000, ejectionIntervalMs: 7000, panicPercent: 9 });
  });

  it('let hosts back in after so many checks', () => {
    const found = settings({ envoyFilters: [filter({ health_checks: [{ interval: '1s', healthy_threshold: 3, unhealthy_interval: '5s' }] })] });
    assert.deepEqual([found.healthCheckHealthyThreshold, found.healthCheckUnhealthyIntervalMs], [3, 5000]);
  });
});
