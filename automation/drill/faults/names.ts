/** Every fault's name, in the order in which they are listed. Apart from the faults, whose clients are slow to load. */
export const faultNames = [
  'bridge-scale-0', 'bridge-terminate', 'bridge-drain', 'bridge-kill', 'bridge-hang', 'bridge-slow', 'bridge-cut-from-kafka', 'gateway-kill', 'gateway-black-hole', 'region-black-hole',
  'both-regions-blip', 'fail-back', 'tier1-restart', 'broker-leader-kill', 'istiod-down', 'operator-down', 'api-server-down',
] as const;
export type FaultName = (typeof faultNames)[number];
