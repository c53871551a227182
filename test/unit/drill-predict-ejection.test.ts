import assert from 'node:assert/strict';

import { objectName } from '../../automation/drill/predict/configuration.ts';
import type { BridgeSettings, HopSettings } from '../../automation/drill/predict/configuration.ts';
import { predict } from '../../automation/drill/predict/predict.ts';
import type { AppliedConfiguration, Plan } from '../../automation/drill/plan.ts';
import { passingRun } from '../fixtures/passing-run.ts';

const bridge: BridgeSettings = { deliveryTimeoutMs: 8000, sessionTimeoutMs: 6000, heartbeatIntervalMs: 2000 };
/** A host that nothing finds, and that nothing puts out. */
const unchecked: HopSettings = { connectTimeoutMs: 250, mergeWindowMs: 0, retryOn: 'connect-failure', retryAttempts: 2, retryBackoffMs: 5, perTryTimeoutMs: 12_000, routeTimeoutMs: 15_000 };
const hop: HopSettings = { ...unchecked, healthCheckIntervalMs: 250, healthCheckTimeoutMs: 750, healthCheckUnhealthyThreshold: 2, healthCheckPath: '/topics' };
/** One that a failure puts out for 2 s, which is seen to every 0.25 s. */
const ejecting: HopSettings = { ...hop, consecutiveGatewayErrors: 1, ejectionMs: 2000, ejectionIntervalMs: 250 };
/** By pings that a blip outlasts. */
const soonPinged: HopSettings = { ...ejecting, pingIntervalMs: 100, pingTimeoutMs: 200 };
const standby: HopSettings = { ...hop, firstRegion: 'east' };
const probed: BridgeSettings = { ...bridge, readinessPeriodMs: 10_000, readinessTimeoutMs: 5000, readinessFailures: 3 };
const twoFaults: Partial<Plan> = { steps: [{ kind: 'do', fault: 'bridge-kill', region: 'east' }, { kind: 'do', fault: 'both-regions-blip', region: 'east' }] };
const oneFault: Partial<Plan> = { steps: [{ kind: 'do', fault: 'both-regions-blip', region: 'east' }, { kind: 'expect', objective: 'produce.failed=0' }] };
const assigned = { consumers: { count: 2, mode: 'assign' } } as const;

function applied({ east = hop, tier1 = hop, ...more }: { east?: HopSettings; tier1?: HopSettings; bridge?: BridgeSettings } = {}): AppliedConfiguration {
  return { [objectName.bridge('east')]: { ...(more.bridge ?? bridge) }, [objectName.upstream('east')]: { ...east }, [objectName.tier1]: { ...tier1 }, [objectName.kafka]: {} };
}

function predicted(fault: string, configuration: AppliedConfiguration, plan: Partial<Plan> = {}): ReturnType<typeof predict> {
  return predict(configuration, { plan: { ...passingRun().run.plan, ...plan }, faults: [{ fault, region: 'east' }] });
}

describe('the predicted gap of hosts that are put out, or are not', () => {
  for (const [what, fault, configuration, plan, bound] of [
    ['has as many checks as it takes to be let back in, each after the time that failed ones have', 'both-regions-blip', applied({ east: { ...hop, healthCheckTimeoutMs: 25, healthCheckUnhealthyThreshold: 1, healthCheckHealthyThreshold: 3, healthCheckUnhealthyIntervalMs: 700 } }), {}, 10 + 400 + 2100],
    ['has the ejections of a moment in which pings fail, of gateways as well, which then answer 503', 'both-regions-blip', applied({ east: soonPinged, tier1: ejecting }), {}, 10 + 400 + 2250 + 2250],
    ['has those of a moment in which tries fail', 'both-regions-blip', applied({ east: { ...ejecting, perTryTimeoutMs: 300 }, tier1: { ...hop, ejectionMs: 2000 } }), {}, 10 + 400 + 2250 + 2000 + 10_000],
    ['has tier1\'s alone where its own time for a request is so short', 'both-regions-blip', applied({ east: ejecting, tier1: { ...ejecting, routeTimeoutMs: 400 } }), {}, 10 + 400 + 2250],
    ['has Envoy\'s own times of an ejection where they are not said', 'both-regions-blip', applied({ east: { ...hop, consecutiveGatewayErrors: 1, perTryTimeoutMs: 300 }, tier1: hop }), {}, 10 + 400 + 40_000],
    ['has the longest ejection in a plan of several faults, as hosts that were out before stay out for longer', 'both-regions-blip', applied({ east: { ...soonPinged, maxEjectionMs: 5000 }, tier1: hop }), twoFaults, 10 + 400 + 5250],
    ['has Envoy\'s own longest ejection in such a plan where none is said', 'both-regions-blip', applied({ east: soonPinged, tier1: hop }), twoFaults, 10 + 400 + 300_250],
    ['has the ejection itself in such a plan where that is longer than the longest', 'both-regions-blip', applied({ east: { ...soonPinged, ejectionMs: 9000, maxEjectionMs: 5000 }, tier1: hop }), twoFaults, 10 + 400 + 9250],
    ['has a first ejection in a plan of one fault and steps of other kinds', 'both-regions-blip', applied({ east: { ...soonPinged, maxEjectionMs: 5000 }, tier1: hop }), oneFault, 10 + 400 + 2250],
    ['has the longer of check and ejection', 'both-regions-blip', applied({ east: { ...soonPinged, healthCheckTimeoutMs: 25, healthCheckUnhealthyThreshold: 1, healthCheckHealthyThreshold: 10 }, tier1: hop }), {}, 10 + 400 + 2500],
    ['has no ejection where all are tried once none is left', 'both-regions-blip', applied({ east: { ...soonPinged, panicPercent: 1 } }), {}, 10 + 400],
    ['has one where none are tried once none is left', 'both-regions-blip', applied({ east: { ...soonPinged, panicPercent: 0 } }), {}, 10 + 400 + 2250],
    ['has none where no error puts a host out', 'both-regions-blip', applied({ east: { ...soonPinged, consecutiveGatewayErrors: 0, consecutive5xxErrors: 0 }, tier1: hop }), {}, 10 + 400],
    ['has the ejections of requests that wait too long for a broker', 'broker-leader-kill', applied({ east: ejecting, tier1: hop, bridge: { deliveryTimeoutMs: 60_000 } }), {}, 10 + 3000 + 9000 + 1000 + 2250],
    ['has none where the bridge answers before', 'broker-leader-kill', applied({ east: ejecting, tier1: hop }), {}, 10 + 3000 + 9000 + 1000],
    ['has the readiness of a bridge that nothing else takes from a gateway where the others stand by', 'bridge-hang', applied({ east: unchecked, tier1: standby, bridge: probed }), {}, 10 + 35_000 + 1000 + 10_000 + 250],
    ['has no readiness where tier1 sends others elsewhere', 'bridge-hang', applied({ east: unchecked, tier1: { ...standby, firstRegion: 'west' }, bridge: probed }), {}, 10 + 10_000 + 250],
    ['has none where the gateway\'s own timeout puts the bridge out', 'bridge-hang', applied({ east: { ...unchecked, consecutiveGatewayErrors: 1, perTryTimeoutMs: 3000 }, tier1: standby, bridge: probed }), {}, 10 + 3000 + 250],
    ['has none where a check finds the bridge', 'bridge-hang', applied({ tier1: standby, bridge: probed }), {}, 10 + 10_000 + 250],
    ['has it before the ping where a failed one puts no bridge out', 'bridge-hang', applied({ east: { ...unchecked, pingIntervalMs: 500, pingTimeoutMs: 1000 }, bridge: probed }), {}, 10 + 35_000 + 1000 + 1500 + 250],
  ] as const) {
    it(what, () => {
      assert.equal(predicted(fault, configuration, plan).produceBlackoutMs, bound);
    });
  }

  for (const [what, fault, configuration, plan, bound] of [
    ['has the readiness of a bridge that nothing else takes from its gateway where the others stand by', 'bridge-hang', applied({ east: unchecked, tier1: standby, bridge: probed }), assigned, 600 + 700 + 2500 + 35_000 + 1000 + 250 + 1000],
    ['has no readiness where a ping puts the bridge out', 'bridge-hang', applied({ east: { ...unchecked, consecutiveGatewayErrors: 1, pingIntervalMs: 500, pingTimeoutMs: 1000 }, tier1: standby, bridge: probed }), assigned, 600 + 700 + 1500 + 250 + 1000],
    ['is none where not even that could be read', 'bridge-hang', applied({ east: unchecked, tier1: standby }), assigned, undefined],
  ] as const) {
    it(`of consumers ${what}`, () => {
      assert.equal(predicted(fault, configuration, plan).consumeBlackoutMs, bound);
    });
  }

  for (const [fault, configuration, why] of [
    ['bridge-hang', applied({ east: unchecked, tier1: standby }), /nothing there puts it out, and no readiness probe of the bridge could be read/],
    ['bridge-hang', { [objectName.upstream('east')]: { ...unchecked } }, /settings of tier1 could not be read/],
    ['bridge-hang', { [objectName.upstream('east')]: { ...unchecked }, [objectName.tier1]: { ...standby } }, /settings of the bridge could not be read/],
    ['both-regions-blip', { [objectName.upstream('east')]: { ...hop } }, /settings of tier1 could not be read/],
    ['broker-leader-kill', { [objectName.kafka]: {}, [objectName.tier1]: { ...hop } }, /settings of the gateway could not be read/],
  ] as const) {
    it(`is none for ${fault}: ${why.source}`, () => {
      const { produceBlackoutMs, why: told } = predicted(fault, configuration);
      assert.equal(produceBlackoutMs, undefined);
      assert.match(told, why);
    });
  }
});
