import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * One module of @pulumi/gcp, loaded by whoever uses it and when it does: programs without Google Cloud pay nothing for it. Its types are
 * named where it is used, as little of them as is needed: the package's own are 13 MB, which every type check would read.
 * @param path inside the package: `compute/address.js`
 */
export function gcpModule<T>(path: string): T {
  return require(`@pulumi/gcp/${path}`) as T;
}
