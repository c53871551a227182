import { percentile } from '../automation/drill/metrics.ts';

/** Of at least one value. */
export function median(values: readonly number[]): number {
  return percentile(values.toSorted((a, b) => a - b), 0.5);
}
