import assert from 'node:assert/strict';

import { objectName } from '../../automation/drill/predict/configuration.ts';
import type { BridgeSettings, HopSettings, KafkaSettings } from '../../automation/drill/predict/configuration.ts';
import { predict } from '../../automation/drill/predict/predict.ts';
import type { AppliedConfiguration, Plan } from '../../automation/drill/plan.ts';
import { passingRun } from '../fixtures/passing-run.ts';

const bridge: BridgeSettings = { deliveryTimeoutMs: 8000, sessionTimeoutMs: 6000, heartbeatIntervalMs: 2000 };
/** A host that nothing finds, and that nothing puts out. */
const unchecked: HopSettings = { connectTimeoutMs: 250, mergeWindowMs: 0, retryOn: 'connect-failure', retryAttempts: 2, retryBackoffMs: 5, perTryTimeoutMs: 12_000, routeTimeoutMs: 15_000 };
const hop: HopSettings = { ...unchecked, healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2, healthCheckPath: '/topics' };

function applied({ east = hop, tier1 = hop, kafka = {}, ...more }: { east?: HopSettings; tier1?: HopSettings; bridge?: BridgeSettings; kafka?: KafkaSettings } = {}): AppliedConfiguration {
  return { [objectName.bridge('east')]: { ...(more.bridge ?? bridge) }, [objectName.upstream('east')]: { ...east }, [objectName.tier1]: { ...tier1 }, [objectName.kafka]: { ...kafka } };
}

function bounds(fault: string, configuration = applied(), plan: Partial<Plan> = {}): [produce: number | undefined, consume: number | undefined] {
  const { produceBlackoutMs, consumeBlackoutMs } = predict(configuration, { plan: { ...passingRun().run.plan, ...plan }, faults: [{ fault, region: 'east' }] });
  return [produceBlackoutMs, consumeBlackoutMs];
}

/** A partition's interval, and a poll with its pause. */
const own = 600 + 700;

describe('the terms of the predicted gaps', () => {
  it('are alike for every fault by which a bridge refuses', () => {
    for (const fault of ['bridge-kill', 'bridge-terminate', 'bridge-drain', 'bridge-scale-0']) assert.deepEqual(bounds(fault), [10 + 5 + 250 + 500, own + 6000 + 2000 + 1000], fault);
  });

  it('are the load\'s and the consumers\' own where nothing on the way of a request is hurt, or nobody\'s instance', () => {
    for (const fault of ['api-server-down', 'istiod-down', 'operator-down']) assert.deepEqual(bounds(fault), [10, own], fault);
    assert.deepEqual(['fail-back', 'tier1-restart', 'both-regions-blip'].map((fault) => bounds(fault)), [[10 + 500, own], [10 + 1000, own], [10 + 400, own]]);
  });

  it('have a repetition by any condition that a refused connection meets', () => {
    for (const retryOn of ['connect-failure', '5xx', 'gateway-error', 'reset']) assert.equal(bounds('bridge-kill', applied({ east: { ...hop, retryOn } }))[0], 10 + 5 + 250 + 500, retryOn);
    for (const retryOn of ['retriable-4xx', 'refused-stream']) assert.equal(bounds('bridge-kill', applied({ east: { ...hop, retryOn } }))[0], undefined, retryOn);
  });

  it('have Kafka\'s own times of an election as they are set', () => {
    const kafka = { controllerFetchTimeoutMs: 1500, controllerElectionTimeoutMs: 700, brokerSessionTimeoutMs: 3000 };
    assert.deepEqual(bounds('broker-leader-kill', applied({ kafka })), [10 + 2200 + 3000 + 1000, own + 2200 + 3000 + 1000]);
    assert.equal(bounds('broker-leader-kill', applied({ kafka: { controllerFetchTimeoutMs: 1500 } }))[0], 10 + 2500 + 9000 + 1000);
    assert.equal(bounds('broker-leader-kill', applied({ kafka: { controllerElectionTimeoutMs: 700 } }))[0], 10 + 2700 + 9000 + 1000);
  });

  it('have probes one after the other, where each may take longer than the time between two', () => {
    const often = { ...bridge, readinessPeriodMs: 2000, readinessTimeoutMs: 5000, readinessFailures: 3 };
    assert.equal(bounds('bridge-hang', applied({ east: unchecked, tier1: { ...hop, firstRegion: 'east' }, bridge: often }))[0], 10 + 20_000 + 1000 + 10_000 + 250);
  });

  it('have the turn of each partition, where there are more of them than keys', () => {
    assert.equal(bounds('istiod-down', applied(), { keys: 2, partitions: 12 })[1], 120 + 700);
  });

  it('have the interval that the driver itself leaves beside workers, and one that began before what is measured', () => {
    const { plan } = passingRun().run;
    const interval = (change: Partial<Plan>, measured = { fromMs: 0, toMs: 30_000 }): number | undefined => predict(applied(), { plan: { ...plan, ...change }, faults: [{ fault: 'istiod-down' }], measured }).produceBlackoutMs;
    assert.equal(interval({ rate: 1000, connections: 16, load: { ...plan.load, workers: 2 } }), 20);
    assert.equal(interval({ rate: 1 }, { fromMs: 2500, toMs: 2900 }), 1000);
  });

  it('are none for a fault that has none by what it is, whatever could not be read of another', () => {
    const faults = [{ fault: 'bridge-kill', region: 'east' }, { fault: 'bridge-slow', region: 'east' }];
    assert.match(predict({}, { plan: passingRun().run.plan, faults }).why, /^Requests: no bound, as a slow bridge answers/);
  });

  it('have the check that lets bridges back in where the moment may make one fail', () => {
    const failing = (healthCheckTimeoutMs: number): number | undefined => bounds('both-regions-blip', applied({ east: { ...hop, healthCheckUnhealthyThreshold: 1, healthCheckTimeoutMs } }))[0];
    assert.deepEqual([150, 350, 551].map(failing), [10 + 400 + 250, 10 + 400 + 250, 10 + 400]);
  });
});
