/** A number of [0, 1) for each index, the same for the same seed: draws that do not depend on the order in which they are made. */
export type Draw = (index: number) => number;

/**
 * The mixing function of MurmurHash3 over seed and index. Not for secrets: its draws only have to be spread evenly, whatever the seed.
 */
export function draws(seed: number): Draw {
  const from = mix(seed ^ 0x9e3779b9);
  return (index) => mix(mix(from ^ index) + Math.floor(index / 2 ** 32)) / 2 ** 32;
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
