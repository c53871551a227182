import type { Image } from './image.ts';

/** `quay.io/jetstack/cert-manager-controller`: cert-manager's real controllers, by the pod's own account. */
export const certManagerController: Image = ({ tools, container }) => ({
  argv: [tools.certManager, ...(container.args ?? [])],
});
