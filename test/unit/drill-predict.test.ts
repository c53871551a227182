import assert from 'node:assert/strict';
import { buildTopology } from '../../components/topology.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { settled } from '../../automation/drill/option-values.ts';
import { objectName, proxiesRepeat, writtenWithinMs } from '../../automation/drill/predict/configuration.ts';
import type { BridgeSettings, HopSettings } from '../../automation/drill/predict/configuration.ts';
import { bridgeSettings, hopSettings } from '../../automation/drill/predict/extract.ts';
import type { RawObject } from '../../automation/drill/predict/raw.ts';
import { predict } from '../../automation/drill/predict/predict.ts';
import type { AppliedConfiguration, Plan } from '../../automation/drill/plan.ts';
import type { TsbObject } from '../../sandbox/operators/tsb/model.ts';
import { translate } from '../../sandbox/operators/tsb/translate/index.ts';
import { passingRun } from '../fixtures/passing-run.ts';
import { answeringCluster, record } from './pulumi-mocks.ts';
import { operators } from './topology-fixtures.ts';
import { central, region, tsb } from './tsb-fixtures.ts';

const bridge: BridgeSettings = { deliveryTimeoutMs: 8000, sessionTimeoutMs: 6000, heartbeatIntervalMs: 2000 };
const checked: HopSettings = { healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2 };
const hop: HopSettings = {
  connectTimeoutMs: 250, ejectionMs: 2000, mergeWindowMs: 0, retryOn: 'connect-failure,refused-stream', retryAttempts: 2, retryBackoffMs: 5, perTryTimeoutMs: 12_000, routeTimeoutMs: 15_000, ...checked, healthCheckPath: '/topics',
};

function applied({ east = hop, tier1 = hop, ...more }: { east?: HopSettings; tier1?: HopSettings; bridge?: BridgeSettings } = {}): AppliedConfiguration {
  return { [objectName.bridge('east')]: { ...(more.bridge ?? bridge) }, [objectName.upstream('east')]: { ...east }, [objectName.tier1]: { ...tier1 }, [objectName.kafka]: {} };
}

function without(settings: HopSettings, ...names: (keyof HopSettings)[]): HopSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name as keyof HopSettings)));
}

const pinged: HopSettings = { ...hop, consecutiveGatewayErrors: 1, pingIntervalMs: 500, pingTimeoutMs: 1000 };
const unchecked = without(hop, 'healthCheckIntervalMs', 'healthCheckTimeoutMs', 'healthCheckUnhealthyThreshold', 'healthCheckPath');

const assigned = { consumers: { count: 2, mode: 'assign' } } as const;

function bounds(fault: string, configuration = applied(), plan: Partial<Plan> = {}): [produce: number | undefined, consume: number | undefined, why: string] {
  const { produceBlackoutMs, consumeBlackoutMs, terms, why } = predict(configuration, { plan: { ...passingRun().run.plan, ...plan }, faults: [{ fault, region: 'east' }] });
  for (const [of, bound] of [['produce', produceBlackoutMs], ['consume', consumeBlackoutMs]] as const) {
    assert.equal(terms.filter((term) => term.of === of).reduce((sum, { ms }) => sum + ms, 0), bound ?? 0, 'the terms make the bound');
  }
  return [produceBlackoutMs, consumeBlackoutMs, why];
}

describe('the predicted gap of produces', () => {
  for (const [what, fault, configuration, plan, bound] of [
    ['is back-off, connection and new producer where a bridge refuses', 'bridge-kill', applied(), {}, 10 + 5 + 250 + 500],
    ['is the same where it leaves in order', 'bridge-scale-0', applied(), {}, 10 + 5 + 250 + 500],
    ['has Envoy\'s and Istio\'s defaults where nothing is said', 'bridge-terminate', applied({ east: { retryOn: 'connect-failure', retryAttempts: 1, mergeWindowMs: 0 } }), {}, 10 + 25 + 10_000 + 500],
    ['is the repetition of whatever got no answer, as a refused connection is that, too', 'bridge-kill', applied({ east: { ...hop, retryOn: '5xx,reset' } }), {}, 10 + 5 + 250 + 500],
    ['is Istio\'s own repetition where the route says nothing of any', 'bridge-kill', applied({ east: without(hop, 'retryOn', 'retryAttempts', 'retryBackoffMs') }), {}, 10 + 25 + 250 + 500],
    ['has Istio\'s conditions where the route names none', 'gateway-kill', applied({ tier1: without(hop, 'retryOn') }), {}, 10 + 5 + 250],
    ['has the merge window where it is not taken away', 'bridge-kill', applied({ east: without(hop, 'mergeWindowMs') }), {}, 10 + 5 + 250 + 1000 + 500],
    ['is the health check where connections do not all wait before it', 'bridge-hang', applied(), { connections: 500 }, 10 + 2000 + 250],
    ['is the client\'s patience where waiting requests hold every connection', 'bridge-hang', applied(), {}, 10 + 10_000 + 250],
    ['is the client\'s patience without a health check', 'bridge-hang', applied({ east: unchecked }), {}, 10 + 10_000 + 250],
    ['is the route\'s timeout where that comes first', 'bridge-hang', applied({ east: { ...unchecked, routeTimeoutMs: 4000 } }), {}, 10 + 4000 + 250],
    ['is the try\'s timeout where that comes first', 'bridge-hang', applied({ east: { ...unchecked, perTryTimeoutMs: 3000 } }), {}, 10 + 3000 + 250],
    ['is tier1\'s check where a gateway says nothing', 'gateway-black-hole', applied({ east: unchecked }), { connections: 500 }, 10 + 2000 + 250],
    ['is tier1\'s check where a region says nothing', 'region-black-hole', applied({ tier1: { ...hop, healthCheckIntervalMs: 1000, healthCheckTimeoutMs: 1000 } }), { connections: 500 }, 10 + 4000 + 250],
    ['is the connection that a black hole does not answer where that takes longer', 'region-black-hole', applied({ tier1: { ...pinged, connectTimeoutMs: 4000 } }), {}, 10 + 4000 + 4000],
    ['is no such connection where a bridge hangs, whose kernel takes it', 'bridge-hang', applied({ east: { ...pinged, connectTimeoutMs: 4000 } }), {}, 10 + 1500 + 4000],
    ['is tier1\'s repetition where a gateway refuses', 'gateway-kill', applied({ tier1: { ...hop, retryBackoffMs: 20 } }), {}, 10 + 20 + 250],
    ['is a check that needs Kafka where a bridge has none', 'bridge-cut-from-kafka', applied(), { connections: 500 }, 10 + 2000 + 250],
    ['is the bridge\'s patience with Kafka where its answers hold every connection', 'bridge-cut-from-kafka', applied(), {}, 10 + 8000 + 250],
    ['is the ping where that ends what holds every connection', 'bridge-hang', applied({ east: pinged }), {}, 10 + 1500 + 250],
    ['is the ping where that finds the host before the check', 'bridge-hang', applied({ east: pinged }), { connections: 500 }, 10 + 1500 + 250],
    ['is the check where that finds the host before the ping', 'bridge-hang', applied({ east: { ...pinged, pingTimeoutMs: 9000 } }), { connections: 500 }, 10 + 2000 + 250],
    ['is check and ping where a failure puts no host out', 'bridge-hang', applied({ east: { ...pinged, consecutiveGatewayErrors: 10 } }), {}, 10 + 2000 + 1500 + 250],
    ['is tier1\'s ping where a gateway says nothing', 'gateway-black-hole', applied({ tier1: pinged }), {}, 10 + 1500 + 250],
    ['is no ping where a bridge without Kafka answers it', 'bridge-cut-from-kafka', applied({ east: pinged }), {}, 10 + 8000 + 250],
    ['is Kafka\'s own where a broker dies', 'broker-leader-kill', applied(), {}, 10 + 3000 + 9000 + 1000],
    ['is as Kafka is set where a broker dies', 'broker-leader-kill', { ...applied(), Kafka: { brokerSessionTimeoutMs: 3000 } }, {}, 10 + 3000 + 3000 + 1000],
    ['is the moment itself where every bridge stands still for one', 'both-regions-blip', applied(), {}, 10 + 400],
    ['has the next check where checks fail as soon', 'both-regions-blip', applied({ east: { ...hop, healthCheckTimeoutMs: 25, healthCheckUnhealthyThreshold: 1 } }), {}, 10 + 400 + 250],
    ['is the load\'s own where nothing on the way is hurt', 'istiod-down', applied(), { rate: 20 }, 50],
  ] as const) {
    it(what, () => {
      assert.equal(bounds(fault, configuration, plan)[0], bound);
    });
  }

  for (const [fault, configuration, why] of [
    ['bridge-kill', applied({ east: { ...hop, retryOn: '503' } }), /does not try again where a connection is refused/],
    ['bridge-kill', applied({ east: { ...hop, retryAttempts: 0 } }), /does not try again/],
    ['bridge-kill', applied({ east: { ...without(hop, 'retryOn'), retryAttempts: 0 } }), /does not try again/],
    ['bridge-kill', applied({ east: without(hop, 'retryAttempts') }), /does not try again/],
    ['gateway-black-hole', applied({ tier1: { ...hop, weighted: true } }), /with weights nothing fails over/],
    ['bridge-cut-from-kafka', applied({ east: { ...hop, healthCheckPath: '/' } }), /answers 200 with failed records.* each after 8000 ms/],
    ['bridge-hang', applied({ east: { ...unchecked, pingIntervalMs: 500, pingTimeoutMs: 1000 } }), /goes on sending requests to a host that answers no pings/],
    ['bridge-hang', { [objectName.upstream('east')]: { unreadable: '403' } }, /settings of the gateway could not be read/],
    ['meteor', applied(), /nothing is known of the fault meteor/],
  ] as const) {
    it(`is none for ${fault}: ${why.source}`, () => {
      const [produce, , told] = bounds(fault, configuration);
      assert.equal(produce, undefined);
      assert.match(told, why);
    });
  }

  it('is none for anybody where tier1 gives each region a share and its gateway is gone, and that is said', () => {
    for (const fault of ['gateway-kill', 'gateway-black-hole', 'region-black-hole']) {
      const { produceBlackoutMs, consumeBlackoutMs, noFailover } = predict(applied({ tier1: { ...hop, weighted: true } }), { plan: passingRun().run.plan, faults: [{ fault, region: 'east' }] });
      assert.deepEqual([produceBlackoutMs, consumeBlackoutMs, noFailover], [undefined, undefined, true], fault);
    }
  });

  it('is none for consumers that stay in their region where tier1 goes on giving that its share of new ones; gateways hand the rest over to one another', () => {
    const tier1 = { ...hop, weighted: true, healthCheckPath: '/consumers/kbf-check/instances/none/subscription' };
    const told = (consumersStay: boolean): ReturnType<typeof predict> => predict(applied({ east: { ...hop, consumersStay }, tier1 }), { plan: passingRun().run.plan, faults: [{ fault: 'bridge-kill', region: 'east' }] });
    const { consumeBlackoutMs, noFailover, unread, why } = told(true);
    assert.deepEqual([consumeBlackoutMs, noFailover, unread, (told(false).consumeBlackoutMs ?? 0) > 0], [undefined, undefined, undefined, true]);
    assert.match(why, /^Requests: .* ms at most\. .*Consumers: no bound, as tier1 goes on sending east its share of new consumers while its gateway lives/);
  });

  it('holds what a slow request took before the fault', () => {
    const { terms } = predict(applied(), { plan: passingRun().run.plan, faults: [{ fault: 'istiod-down' }], requestMs: 41.7 });
    assert.deepEqual(terms.filter(({ of }) => of === 'produce').map(({ ms }) => ms), [10, 42]);
  });

  it('holds a new producer as it was measured nearby, and more where a request takes long', () => {
    const newProducer = (typicalMs: number): number | undefined =>
      predict(applied(), { plan: passingRun().run.plan, faults: [{ fault: 'bridge-kill', region: 'east' }], requestMs: 450, typicalMs }).terms.find(({ name }) => name === 'first record of a new producer')?.ms;
    assert.deepEqual([0, 40, 50, 150].map(newProducer), [500, 500, 500, 500 + 8 * 100]);
  });

  it('holds the longest interval that the load itself leaves', () => {
    const interval = (plan: Partial<Plan>, measured?: { fromMs: number; toMs: number }): number | undefined =>
      predict(applied(), { plan: { ...passingRun().run.plan, ...plan }, faults: [{ fault: 'istiod-down' }], ...(measured === undefined ? {} : { measured }) }).produceBlackoutMs;
    const { load } = passingRun().run.plan;
    // At one request a second in the beginning: a fault comes later.
    const ramp = { load: { ...load, pattern: 'ramp' as const, rampFrom: 1 }, rate: 100, durationSeconds: 10 };
    assert.ok((interval(ramp) ?? 0) > 300);
    assert.ok((interval(ramp, { fromMs: 5000, toMs: 9000 }) ?? Infinity) <= 20);
    const poisson = { load: { ...load, pattern: 'poisson' as const }, rate: 20, durationSeconds: 30 };
    const drawn = Array.from({ length: 20 }, (_, seed) => interval({ ...poisson, seed }) ?? 0);
    assert.ok(drawn.every((ms) => ms > 100), drawn.join());
    assert.ok(new Set(drawn).size > 15, 'each seed has its own');
  });

  it('of several faults is that of the worst, and none if one has none', () => {
    const of = (...faults: string[]): number | undefined => predict(applied(), { plan: passingRun().run.plan, faults: faults.map((fault) => ({ fault, region: 'east' })) }).produceBlackoutMs;
    assert.equal(of('bridge-kill', 'bridge-hang', 'istiod-down'), 10_260);
    assert.equal(of('bridge-kill', 'meteor'), undefined);
    const weighted = applied({ tier1: { ...hop, weighted: true } });
    assert.equal(predict(weighted, { plan: passingRun().run.plan, faults: [{ fault: 'bridge-slow', region: 'east' }, { fault: 'gateway-black-hole', region: 'east' }] }).noFailover, true, 'also after one without a bound');
  });
});

describe('the predicted gap of consumers', () => {
  /** A partition's interval, a poll with its pause, and the first poll of a new consumer. */
  const own = 600 + 700;
  const stays: HopSettings = { ...hop, consumersStay: true };
  const asking: HopSettings = { ...hop, healthCheckPath: '/consumers', firstRegion: 'east' };
  for (const [what, fault, configuration, plan, bound] of [
    ['is session and heartbeat where a member is lost', 'bridge-kill', applied(), {}, own + 6000 + 2000 + 1000],
    ['is Kafka\'s own session where none is set', 'bridge-kill', applied({ bridge: {} }), {}, own + 45_000 + 3000 + 1000],
    ['has the longer of session and detection', 'bridge-hang', applied({ east: unchecked, bridge: { ...bridge, sessionTimeoutMs: 1000 } }), {}, own + 2500 + 250 + 2000 + 1000],
    ['is what the bridge takes for idle where its gateway is gone, and it still reaches Kafka', 'gateway-black-hole', applied({ bridge: { ...bridge, idleConsumerMs: 60_000 } }), {}, own + 90_000 + 2000 + 1000],
    ['is that of a member without polls where no consumer is idle', 'gateway-kill', applied({ bridge: { ...bridge, maxPollIntervalMs: 40_000, idleConsumerMs: -1 } }), {}, own + 40_000 + 2000 + 1000],
    ['is Kafka\'s own patience with such a member where nothing is set', 'gateway-black-hole', applied(), {}, own + 300_000 + 2000 + 1000],
    ['is the session where the bridge is cut off as well', 'region-black-hole', applied({ bridge: { ...bridge, idleConsumerMs: 60_000 } }), {}, own + 6000 + 2000 + 1000],
    ['is detection and a new instance with partitions of one\'s own', 'bridge-hang', applied(), assigned, own + 2500 + 250 + 1000],
    ['is a new instance with partitions of one\'s own where the bridge refuses', 'bridge-kill', applied(), assigned, own + 250 + 1000],
    ['is the client\'s patience with tier1 without checks', 'region-black-hole', applied({ tier1: unchecked }), assigned, own + 2500 + 250 + 250 + 1000],
    ['is found by a check that needs Kafka', 'bridge-cut-from-kafka', applied(), assigned, own + 2500 + 250 + 1000],
    ['is the ping and what the check takes longer', 'bridge-hang', applied({ east: pinged }), assigned, own + 1500 + 500 + 250 + 1000],
    ['is no ping where a bridge without Kafka answers it', 'bridge-cut-from-kafka', applied({ east: pinged }), assigned, own + 2500 + 250 + 1000],
    ['is Kafka\'s own where a broker dies', 'broker-leader-kill', applied(), {}, own + 3000 + 9000 + 1000],
    ['is a poll where their instance lives on', 'tier1-restart', applied(), {}, own],
    ['has tier1\'s check of the region where consumers stay in theirs', 'bridge-kill', applied({ east: stays, tier1: asking }), assigned, own + 500 + 250 + 1000],
    ['has that after the gateway\'s own', 'bridge-cut-from-kafka', applied({ east: stays, tier1: asking }), assigned, own + 2500 + 500 + 250 + 1000],
    ['has no such check where the gateway is gone itself', 'region-black-hole', applied({ east: stays, tier1: asking }), assigned, own + 2500 + 250 + 250 + 1000],
    ['has the connection that a black hole does not answer', 'gateway-black-hole', applied({ tier1: { ...hop, connectTimeoutMs: 900 } }), assigned, own + 2500 + 900 + 250 + 1000],
    ['is the next try where all regions serve', 'bridge-kill', applied({ east: stays }), assigned, own + 250 + 1000],
    ['is the next try where others stand by for another', 'bridge-kill', applied({ east: stays, tier1: { ...hop, firstRegion: 'west' } }), assigned, own + 250 + 1000],
    ['is the hop where consumers take it', 'bridge-kill', applied({ tier1: { ...hop, firstRegion: 'east' } }), assigned, own + 250 + 1000],
    ['is none where tier1 sends new ones to that region alone', 'bridge-kill', applied({ east: stays, tier1: { ...hop, firstRegion: 'east' } }), {}, undefined],
    ['is none where the load prefers some keys', 'bridge-kill', applied(), { load: { ...passingRun().run.plan.load, keyDistribution: 'zipf' } }, undefined],
    ['is none where polls go on being answered', 'bridge-cut-from-kafka', applied({ east: unchecked }), {}, undefined],
  ] as const) {
    it(what, () => {
      assert.equal(bounds(fault, configuration, plan)[1], bound);
    });
  }

  it('holds the requests of a poll and its commit, each as slow as one before the fault', () => {
    const of = (requestMs: number, fault: string, typicalMs = 20): number[] => predict(applied(), { plan: { ...passingRun().run.plan, ...assigned }, faults: [{ fault, region: 'east' }], requestMs, typicalMs }).terms.filter((term) => term.of === 'consume').map(({ ms }) => ms);
    assert.deepEqual(of(41.7, 'istiod-down'), [600, 700, 84]);
    assert.deepEqual(of(41.7, 'bridge-kill'), [600, 700, 84, 250, 1000]);
    assert.deepEqual(of(450, 'bridge-kill'), [600, 700, 900, 250, 1000]);
    assert.deepEqual(of(450, 'bridge-kill', 450), [600, 700, 900, 250, 1000 + 8 * 400], 'and a new consumer longer where all are far');
  });
});

describe('what could not be read', () => {
  const [bridgeName, upstream] = [objectName.bridge('east'), objectName.upstream('east')];
  /** Whose settings the bounds of produces and of consumers rest on. */
  for (const [fault, object, plan, produce, consume] of [
    ['bridge-kill', bridgeName, {}, undefined, 'the bridge'],
    ['bridge-kill', bridgeName, assigned, undefined, undefined],
    ['bridge-kill', upstream, {}, 'the gateway', 'the gateway'],
    ['bridge-kill', objectName.tier1, {}, undefined, 'tier1'],
    ['bridge-hang', bridgeName, {}, undefined, 'the bridge'],
    ['bridge-hang', upstream, assigned, 'the gateway', 'the gateway'],
    ['bridge-cut-from-kafka', upstream, {}, 'the gateway', 'the gateway'],
    ['gateway-kill', objectName.tier1, assigned, 'tier1', 'tier1'],
    ['gateway-black-hole', objectName.tier1, {}, 'tier1', 'tier1'],
    ['broker-leader-kill', objectName.kafka, {}, 'Kafka', 'Kafka'],
    ['istiod-down', bridgeName, {}, undefined, undefined],
  ] as const) {
    it(`bounds nothing that rests on it: ${object} under ${fault} with ${'consumers' in plan ? 'partitions of their own' : 'a group'}`, () => {
      const all = bounds(fault, applied(), plan);
      const sentence = (who: string, of: string): string => `${who}: no bound, as the settings of ${of} could not be read.`;
      // An object that there is none of, such as a Kafka of somebody else's, was not read either.
      for (const configuration of [{ ...applied(), [object]: { unreadable: '403' } }, Object.fromEntries(Object.entries(applied()).filter(([name]) => name !== object))]) {
        const [produceMs, consumeMs, why] = bounds(fault, configuration, plan);
        assert.deepEqual([produceMs, consumeMs], [produce === undefined ? all[0] : undefined, consume === undefined ? all[1] : undefined]);
        assert.equal(produce !== undefined && why.includes(sentence('Requests', produce)), produce !== undefined, why);
        assert.equal(consume !== undefined && why.includes(sentence('Consumers', consume)), consume !== undefined, why);
      }
    });
  }

  it('is told from what is not set: that is Kafka\'s default, and the term says so', () => {
    const { terms } = predict(applied(), { plan: passingRun().run.plan, faults: [{ fault: 'broker-leader-kill' }] });
    assert.deepEqual(terms.filter(({ name }) => name === 'until the broker counts as dead').map(({ of, from }) => [of, from]),
      [['produce', 'Kafka\'s default of broker.session.timeout.ms'], ['consume', 'Kafka\'s default of broker.session.timeout.ms']]);
  });
});

describe('the time that a record may still be written after its request', () => {
  const west = (settings: AppliedConfiguration[string]): AppliedConfiguration => ({ [objectName.bridge('east')]: { maxBlockMs: 3000, deliveryTimeoutMs: 8000 }, [objectName.bridge('west')]: settings });
  for (const [what, configuration, expected] of [
    ['is that of the region whose bridge may wait and then try longest', west({ maxBlockMs: 1000, deliveryTimeoutMs: 9000 }), 11_000],
    ['is the same whichever of the two is long', west({ maxBlockMs: 9000, deliveryTimeoutMs: 7000 }), 16_000],
    ['has Kafka\'s own wait where one does not say', west({ deliveryTimeoutMs: 9000 }), 69_000],
    ['is Kafka\'s own where one says nothing', west({}), 180_000],
    ['is Kafka\'s own where one could not be read', west({ unreadable: '403' }), 180_000],
  ] as const) {
    it(what, () => { assert.equal(writtenWithinMs(configuration, ['east', 'west']), expected); });
  }
});

describe('the settings in effect', () => {
  const clusterObjects = async (changes: { bridge?: object; tsb?: object; tier1?: object } = {}): Promise<Map<string, RawObject[]>> => {
    const configuration = parseConfiguration({
      hostname: 'kafka.example', kubeconfig: '/none', kafka: { context: 'kafka', domain: 'brokers.example' },
      regions: ['east', 'west'].map((name) => ({ name, context: name, tsbCluster: name, locality: { region: `us-${name}1` } })),
      ...(changes.bridge === undefined ? {} : { bridge: changes.bridge }),
      tsb: { context: 'central', organization: 'tetrate', tenant: 'kafka', ...changes.tsb }, tier1: { context: 'central', tsbCluster: 'central', ...changes.tier1 },
    }, '/', 'unchecked');
    const { resources } = await record(() => buildTopology(configuration, answeringCluster(operators)));
    const objects = [
      ...['central', 'east', 'west'].map((name) => tsb(['tsb.tetrate.io/v2', 'Cluster', name], {}, { parents: {} })),
      ...resources.filter(({ inputs }) => /tetrate\.io|istio\.io/.test(String(inputs['apiVersion']))).map(({ inputs, provider }) => ({ spec: {}, ...inputs, cluster: provider }) as unknown as TsbObject),
    ];
    const { wanted } = translate({ objects, clusters: [central(), region('east', '10.213.0.1'), region('west', '10.214.0.1')] });
    const all = new Map([...Map.groupBy(wanted, ({ cluster, object }) => `${cluster.name} ${object.kind}`)].map(([name, list]): [string, RawObject[]] => [name, list.map(({ object }) => object as RawObject)]));
    all.set('KafkaBridge', resources.filter(({ inputs }) => inputs['kind'] === 'KafkaBridge').map(({ inputs }) => inputs as RawObject));
    return all;
  };
  const hopOf = (objects: Map<string, RawObject[]>, cluster: string, host: string): HopSettings | undefined => hopSettings({
    host, hostname: 'kafka.example', destinationRules: objects.get(`${cluster} DestinationRule`) ?? [], virtualServices: objects.get(`${cluster} VirtualService`) ?? [], envoyFilters: objects.get(`${cluster} EnvoyFilter`) ?? [],
  });

  it('are those of checks, connections and pings that the program was told', async () => {
    const objects = await clusterObjects({ bridge: { timeouts: { connectMs: 1300 }, healthCheck: { path: '/topics/orders', intervalMs: 1000, timeoutMs: 2000 } } });
    const [east, tier1] = [hopOf(objects, 'east', 'kafka-bridge-http.kafka-bridge.svc.cluster.local'), hopOf(objects, 'central', 'kafka.example')];
    for (const hop of [east, tier1]) assert.deepEqual([hop?.connectTimeoutMs, hop?.healthCheckIntervalMs, hop?.healthCheckTimeoutMs], [1300, 1000, 2000]);
    const told = applied({ east: east ?? assert.fail('east'), tier1: tier1 ?? assert.fail('tier1') });
    // What waits for a connection to a black hole waits longer than a ping; one to a bridge that hangs is made.
    assert.deepEqual([bounds('region-black-hole', told)[0], bounds('bridge-hang', told)[0]], [10 + 1300 + 1300, 10 + 1250 + 1300]);
    assert.equal(bounds('bridge-cut-from-kafka', told, { connections: 5000 })[0], 10 + 6000 + 1300, 'also one topic is Kafka\'s');
    assert.equal(bounds('bridge-kill', told, assigned)[1], 600 + 700 + 2000 + 250 + 1000, 'tier1 asks as consumers do');
  });

  it('are what the program wrote, as Istio is told it, and bound every gap that they should', async () => {
    const objects = await clusterObjects();
    const east = hopOf(objects, 'east', 'kafka-bridge-http.kafka-bridge.svc.cluster.local');
    const tier1 = hopOf(objects, 'central', 'kafka.example');
    assert.deepEqual(east, {
      connectTimeoutMs: 500, consecutiveLocalOriginFailures: 1, consecutiveGatewayErrors: 1, consecutive5xxErrors: 0, ejectionMs: 2000, maxEjectionMs: 5000, ejectionIntervalMs: 250, panicPercent: 1, mergeWindowMs: 0,
      healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2, healthCheckHealthyThreshold: 1, healthCheckPath: '/topics', pingIntervalMs: 250, pingTimeoutMs: 1000,
      routeTimeoutMs: 15_000, retryOn: 'connect-failure,refused-stream,retriable-headers', retryAttempts: 2, retryBackoffMs: 5, perTryTimeoutMs: 12_000, consumersStay: true,
    });
    assert.equal(proxiesRepeat({ [objectName.upstream('east')]: { ...east }, [objectName.tier1]: { ...tier1 } }, ['east']), false);
    assert.deepEqual([tier1?.healthCheckPath, tier1?.routeTimeoutMs, tier1?.weighted, tier1?.pingTimeoutMs, tier1?.consumersStay, tier1?.firstRegion], ['/consumers/kbf-check/instances/none/subscription', 16_000, undefined, 1000, undefined, undefined]);
    const bridge = bridgeSettings(objects.get('KafkaBridge')?.[0] ?? {}, undefined);
    assert.deepEqual([bridge.deliveryTimeoutMs, bridge.sessionTimeoutMs, bridge.heartbeatIntervalMs], [8000, 6000, 1000]);
    const configuration: AppliedConfiguration = { [objectName.bridge('east')]: bridge, [objectName.upstream('east')]: { ...east }, [objectName.tier1]: { ...tier1 } };
    for (const fault of ['bridge-scale-0', 'bridge-kill', 'bridge-terminate', 'bridge-drain', 'gateway-kill', 'tier1-restart', 'fail-back']) assert.ok((bounds(fault, configuration)[0] ?? Infinity) <= 1100, fault);
    const load = { ...passingRun().run.plan, ...settled({ seed: 1 }) };
    for (const fault of ['bridge-hang', 'gateway-black-hole', 'region-black-hole']) {
      const boundOf = (requestMs: number): number => predict(configuration, { plan: load, faults: [{ fault, region: 'east' }], requestMs }).produceBlackoutMs ?? Infinity;
      assert.ok(boundOf(100) <= 2000, `${fault}: ${boundOf(100)} ms`);
      // As docs/failover.md has it.
      assert.deepEqual([boundOf(239) < 2000, boundOf(240)], [true, 2000], fault);
    }
    assert.equal(bounds('both-regions-blip', configuration)[0], 10 + 400, 'no ejection of all that are left');
    assert.ok((bounds('bridge-cut-from-kafka', configuration, { connections: 500 })[0] ?? Infinity) <= 2550);
    assert.ok((bounds('bridge-cut-from-kafka', configuration)[0] ?? Infinity) <= 8700);
  });

  it('say of each configuration whether new consumers are kept from a region that has lost its bridge', async () => {
    const standby = { tier1: { active: { first: 'east' } } };
    const boundOf = async (changes: Parameters<typeof clusterObjects>[0], service = 'kafka-bridge-http'): Promise<[number | undefined, string]> => {
      const objects = await clusterObjects(changes);
      const upstream = hopOf(objects, 'east', `${service}.kafka-bridge.svc.cluster.local`) ?? assert.fail(service);
      const [, consume, why] = bounds('bridge-kill', applied({ east: upstream, tier1: hopOf(objects, 'central', 'kafka.example') ?? assert.fail('tier1') }), assigned);
      return [consume, why];
    };
    const own = 600 + 700;
    for (const first of [{}, standby]) assert.equal((await boundOf(first))[0], own + 500 + 250 + 1000);
    assert.match((await boundOf({ ...standby, tsb: { envoyFilters: 'none' } }))[1], /Consumers: no bound, as tier1 goes on sending new consumers to east while its gateway lives\./);
    assert.equal((await boundOf({ tsb: { envoyFilters: 'none' } }))[0], own + 250 + 1000);
    // They take the hop like the rest.
    assert.equal((await boundOf({ ...standby, bridge: { service: 'strimzi' } }, 'kafka-bridge-bridge-service'))[0], own + 250 + 1000);
  });

  it('say whether proxies may repeat what was sent, as they do where nobody could read it', () => {
    const repeats = (configuration: AppliedConfiguration): boolean => proxiesRepeat(configuration, ['east']);
    assert.equal(repeats(applied({ east: { ...hop, retryOn: 'connect-failure, refused-stream,retriable-headers' } })), false);
    assert.equal(repeats(applied({ east: { ...hop, retryOn: 'gateway-error,reset', retryAttempts: 0 } })), false);
    assert.equal(repeats(applied({ tier1: { ...hop, retryOn: 'connect-failure,gateway-error' } })), true);
    assert.equal(repeats(applied({ east: without(hop, 'retryOn', 'retryAttempts') })), true);
    assert.equal(repeats(applied({ east: { ...hop, anotherRepeats: true } })), true);
    assert.equal(repeats({ ...applied(), [objectName.tier1]: { unreadable: 'Forbidden' } }), true);
    assert.equal(proxiesRepeat(applied(), ['east', 'west']), true);
  });
});
