import { join } from 'node:path';
import type { Image } from './image.ts';

/** `tetrate/tsb-operator`: this repository's stand-in for Tetrate Service Bridge, run by Node from its sources. */
export const tsbOperator: Image = ({ tools }) => ({
  argv: [tools.node, join(tools.project, 'sandbox/operators/tsb/main.ts')],
});
