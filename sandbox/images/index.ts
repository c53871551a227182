import { kafkaBridge } from './bridge.ts';
import { certManagerController } from './cert-manager.ts';
import { proxyv2 } from './envoy.ts';
import type { Image } from './image.ts';
import { istiod } from './istiod.ts';
import { kafka } from './kafka.ts';
import { node } from './node.ts';
import { strimziOperator } from './strimzi.ts';
import { tsbOperator } from './tsb.ts';

/** The programs that stand for images here, by repository; a tag or digest is nothing that it is found by. */
export const images: Readonly<Record<string, Image>> = {
  'quay.io/jetstack/cert-manager-controller': certManagerController,
  'quay.io/strimzi/operator': strimziOperator,
  'quay.io/strimzi/kafka': kafka,
  'quay.io/strimzi/kafka-bridge': kafkaBridge,
  'docker.io/library/node': node,
  'docker.io/istio/pilot': istiod,
  'docker.io/istio/proxyv2': proxyv2,
  'docker.io/tetrate/tsb-operator': tsbOperator,
};

/**
 * The program for an image reference as a pod names it: `node:24` and `docker.io/library/node@sha256:…` are the same.
 * Undefined when there is none.
 */
export function findImage(reference: string): Image | undefined {
  const [withoutDigest = ''] = reference.split('@');
  const repository = withoutDigest.replace(/:[^/:]*$/, '');
  return images[repository] ?? images[canonical(repository)];
}

/** Docker's short names: no registry means docker.io, no owner means library. */
function canonical(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return repository;
  return rest.length === 0 ? `docker.io/library/${first}` : `docker.io/${repository}`;
}
