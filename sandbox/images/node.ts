import type { Image } from './image.ts';

/** Plain Node.js: the pod's command, or `node`, with the pod's arguments. */
export const node: Image = ({ container: { command = ['node'], args = [] } }) => ({ argv: [...command, ...args] });
