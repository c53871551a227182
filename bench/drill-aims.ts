/** What the bench of drills repeats, and what is aimed at. */

/** What conclusive drills may come to at most. What is not said is not aimed at. */
export interface Limits {
  /** Records that failed or whose outcome is unknown, in any drill, for each connection of the load. */
  lostPerConnection?: 0 | 1;
  gapMedianMs?: number;
  gapWorstMs?: number;
  /** The longest time of any drill in which consumers were given nothing, ms. */
  consumersWorstMs?: number;
  /** The longest gap as so many times what was predicted; 1.5 where nothing is said. */
  timesPredicted?: number;
}

interface Aim {
  repeat: number;
  aim: Limits;
  /** How long the fault is held, and the load lasts, where the usual drill is too short to miss the aim. */
  held?: { forSeconds: number; durationSeconds: number };
}

const nothingLost: Limits = { lostPerConnection: 0, gapWorstMs: 100 };
/** What was in flight when it struck waits until the fault is found. */
const foundInTime: Limits = { lostPerConnection: 1, timesPredicted: 1 };
const kill: Limits = { lostPerConnection: 1, gapMedianMs: 60, gapWorstMs: 150, consumersWorstMs: 8_000 };

/** The aims, for faults whose figures somebody relies on. */
export const aims: Readonly<Record<string, Aim>> = {
  'bridge-scale-0': { repeat: 20, aim: nothingLost },
  'tier1-restart': { repeat: 5, aim: nothingLost },
  'fail-back': { repeat: 5, aim: nothingLost },
  'bridge-kill': { repeat: 20, aim: kill },
  'bridge-terminate': { repeat: 5, aim: { lostPerConnection: 1, gapMedianMs: 150 } },
  'bridge-hang': { repeat: 20, aim: foundInTime },
  'gateway-black-hole': { repeat: 5, aim: foundInTime },
  'region-black-hole': { repeat: 5, aim: foundInTime },
  // The bridge's delivery.timeout.ms, 8 s, and 3 s: a shorter cut would end the gap itself.
  'bridge-cut-from-kafka': { repeat: 5, aim: { gapWorstMs: 11_000 }, held: { forSeconds: 15, durationSeconds: 30 } },
  // All stand still for 400 ms at most, and serve again within 3 s.
  'both-regions-blip': { repeat: 5, aim: { gapWorstMs: 3_400 } },
};

export interface Variant {
  /** What is configured besides. */
  settings?: { tier1: object };
  sidecars?: false;
  flags?: readonly string[];
  /** What is aimed at instead, by fault. */
  aims?: Readonly<Record<string, Limits>>;
}

/** What the same fault may meet. */
export const variants: Readonly<Record<string, Variant>> = {
  'as-configured': {},
  /** Gateways speak to bridges themselves, to whom a dead one is a refused connection and not a sidecar's 503. */
  'no-sidecar': { sidecars: false },
  /** The region that takes over has served nobody yet. */
  'cold': { settings: { tier1: { active: { first: 'east' } } } },
  'assigned': { flags: ['--consumer-mode', 'assign'], aims: { 'bridge-kill': { ...kill, consumersWorstMs: 1_000 } } },
  /** Clients send again whatever was not ok: what was in flight at a kill is unknown, and to send again only what was not written would leave it so. */
  'client-retry': { flags: ['--retry', 'always'], aims: { 'bridge-kill': { lostPerConnection: 0 } } },
};

/** How often a fault is repeated, and what is aimed at under it. */
export function aimOf(variant: Variant, fault: string): Aim {
  const usual = aims[fault] ?? { repeat: 5, aim: {} };
  return { ...usual, aim: variant.aims?.[fault] ?? usual.aim };
}
