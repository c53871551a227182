import { join } from 'node:path';
import type { Image } from './image.ts';

/** `quay.io/strimzi/operator`: this repository's stand-in for the Strimzi operator, run by Node from its sources. */
export const strimziOperator: Image = ({ tools }) => ({
  // Small heap steps: an operator sleeps most of the time, and one runs in each cluster.
  argv: [tools.node, '--max-semi-space-size=1', join(tools.project, 'sandbox/operators/strimzi/main.ts')],
});
