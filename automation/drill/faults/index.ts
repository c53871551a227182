import type { Fault } from './fault.ts';
import { bridgeCutFromKafka, gatewayBlackHole, regionBlackHole } from './cuts.ts';
import { apiServerDown, bothRegionsBlip, bridgeHang, bridgeSlow } from './holds.ts';
import { bridgeKill, bridgeTerminate, brokerLeaderKill, gatewayKill } from './kills.ts';
import { bridgeScale0, failBack, istiodDown, operatorDown } from './scalings.ts';
import { tier1Restart } from './tier1-restart.ts';

const all = [
  bridgeScale0, bridgeTerminate, bridgeKill, bridgeHang, bridgeSlow, bridgeCutFromKafka, gatewayKill, gatewayBlackHole, regionBlackHole,
  bothRegionsBlip, failBack, tier1Restart, brokerLeaderKill, istiodDown, operatorDown, apiServerDown,
] as const;

/** Every fault, by name. What one needs to undo is its own business, hence `unknown`. */
export const faults: Readonly<Record<string, Fault>> = Object.fromEntries((all as readonly unknown[] as readonly Fault[]).map((fault) => [fault.name, fault]));

/** The fault of that name, or undefined. */
export function faultNamed(name: string): Fault | undefined {
  return Object.hasOwn(faults, name) ? faults[name] : undefined;
}
