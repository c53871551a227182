/** What the bench of drills repeats, and what is aimed at. */

interface Aim {
  repeat: number;
  aim: string;
}

/** The aims, for faults whose figures somebody relies on. */
export const aims: Readonly<Record<string, Aim>> = {
  'bridge-scale-0': { repeat: 20, aim: '0 failed, gap ≤ 100 ms' },
  'tier1-restart': { repeat: 5, aim: '0 failed, gap ≤ 100 ms' },
  'fail-back': { repeat: 5, aim: '0 failed, gap ≤ 100 ms' },
  'bridge-kill': { repeat: 20, aim: '≤ 4 lost, gap median ≤ 60, worst ≤ 150 ms; consumers ≤ 8 s, assigned ≤ 1 s' },
  'bridge-terminate': { repeat: 5, aim: '≤ 4 lost, gap median ≤ 150 ms' },
  'bridge-hang': { repeat: 20, aim: 'in flight until found; gap ≤ predicted' },
  'gateway-black-hole': { repeat: 5, aim: 'in flight until found; gap ≤ predicted' },
  'region-black-hole': { repeat: 5, aim: 'in flight until found; gap ≤ predicted' },
  'bridge-cut-from-kafka': { repeat: 5, aim: 'moved away within delivery.timeout + 3 s' },
  'both-regions-blip': { repeat: 5, aim: 'served again ≤ 3 s after' },
};

export interface Variant {
  /** What is configured besides. */
  settings?: { tier1: object };
  sidecars?: false;
  flags?: readonly string[];
  /** What is aimed at instead, by fault. */
  aims?: Readonly<Record<string, string>>;
}

/** What the same fault may meet. */
export const variants: Readonly<Record<string, Variant>> = {
  'as-configured': {},
  /** Gateways speak to bridges themselves, to whom a dead one is a refused connection and not a sidecar's 503. */
  'no-sidecar': { sidecars: false },
  /** The region that takes over has served nobody yet. */
  'cold': { settings: { tier1: { active: { first: 'east' } } } },
  'assigned': { flags: ['--consumer-mode', 'assign'] },
  /** Clients send again whatever was not ok: what was in flight at a kill is unknown, and to send again only what was not written would leave it so. */
  'client-retry': { flags: ['--retry', 'always'], aims: { 'bridge-kill': '0 failed, 0 unknown' } },
};

/** How often a fault is repeated, and what is aimed at under it. */
export function aimOf(variant: Variant, fault: string): Aim {
  const { repeat, aim } = aims[fault] ?? { repeat: 5, aim: '' };
  return { repeat, aim: variant.aims?.[fault] ?? aim };
}
