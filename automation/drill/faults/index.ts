import type { Fault } from './fault.ts';
import { bridgeCutFromKafka, gatewayBlackHole, regionBlackHole } from './cuts.ts';
import { bridgeDrain } from './drain.ts';
import { apiServerDown, bothRegionsBlip, bridgeHang, bridgeSlow } from './holds.ts';
import { bridgeKill, bridgeTerminate, brokerLeaderKill, gatewayKill } from './kills.ts';
import type { FaultName } from './names.ts';
import { bridgeScale0, failBack, istiodDown, operatorDown } from './scalings.ts';
import { tier1Restart } from './tier1-restart.ts';

const byName = {
  'bridge-scale-0': bridgeScale0, 'bridge-terminate': bridgeTerminate, 'bridge-drain': bridgeDrain, 'bridge-kill': bridgeKill, 'bridge-hang': bridgeHang, 'bridge-slow': bridgeSlow,
  'bridge-cut-from-kafka': bridgeCutFromKafka, 'gateway-kill': gatewayKill, 'gateway-black-hole': gatewayBlackHole, 'region-black-hole': regionBlackHole,
  'both-regions-blip': bothRegionsBlip, 'fail-back': failBack, 'tier1-restart': tier1Restart, 'broker-leader-kill': brokerLeaderKill,
  'istiod-down': istiodDown, 'operator-down': operatorDown, 'api-server-down': apiServerDown,
} satisfies Record<FaultName, unknown>;

/** Every fault, by name. What one needs to undo is its own business, hence `unknown`. */
export const faults: Readonly<Record<string, Fault>> = byName as Readonly<Record<string, unknown>> as Readonly<Record<string, Fault>>;

/** The fault of that name, or undefined. */
export function faultNamed(name: string): Fault | undefined {
  return Object.hasOwn(faults, name) ? faults[name] : undefined;
}
