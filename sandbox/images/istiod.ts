import type { Image } from './image.ts';

/** `docker.io/istio/pilot`: the real pilot-discovery, with the arguments of its Deployment. */
export const istiod: Image = ({ tools, container }) => ({
  argv: [tools.istiod, ...(container.args ?? [])],
});
