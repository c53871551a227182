import { createRequire } from 'node:module';

import { compareVersions } from '../config/versions.ts';
import { plainError } from './cluster-reader.ts';

/** What the program is written and tested for. */
const oldest = '4.25.0';

/**
 * What is wrong with a version of @pulumi/kubernetes; undefined where nothing is. The engine starts the provider of the SDK's version, so that with another
 * major version objects would be made anew or fail one by one.
 */
export function sdkProblem(found: string): string | undefined {
  const version = found.replace(/^v/, '');
  const [major] = oldest.split('.');
  if (version.split('.')[0] === major && compareVersions(version, oldest) >= 0) return undefined;
  return `@pulumi/kubernetes is installed in version ${version}, and this program needs ${oldest} or a newer ${major ?? ''}.x: run \`npm ci\` in its directory.`;
}

/** @throws pulumi.RunError if the SDK that is installed is of no use */
export function refuseOtherSdk(): void {
  const { version } = createRequire(import.meta.url)('@pulumi/kubernetes/package.json') as { version: string };
  const problem = sdkProblem(version);
  if (problem !== undefined) throw plainError(problem);
}
