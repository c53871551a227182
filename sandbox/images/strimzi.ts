import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { findRelease, releases } from '../operators/strimzi/release.ts';
import type { Image } from './image.ts';

/**
 * `quay.io/strimzi/operator`: this repository's stand-in for the Strimzi operator, run by Node from its sources, as the release of the tag.
 * @throws UserError when it cannot be that release
 */
export const strimziOperator: Image = ({ tools, container: { image = '' } }) => {
  const [, tag = ''] = /:([^:/@]+)(?:@|$)/.exec(image) ?? [];
  const release = findRelease(tag);
  if (release === undefined) {
    throw new UserError(`image ${image}: the stand-in for Strimzi's operator cannot be its release ${tag}`, { remedy: `set the version to one of ${releases.map(({ operator }) => operator).join(', ')}` });
  }
  return {
    // Small heap steps: an operator sleeps most of the time, and one runs in each cluster.
    argv: [tools.node, '--max-semi-space-size=1', join(tools.project, 'sandbox/operators/strimzi/main.ts'), '--release', release.operator],
  };
};
