import { isDeepStrictEqual } from 'node:util';
import { specialAssetSig, specialArchiveSig, specialSecretSig, specialSigKey, unknownValue } from '@pulumi/pulumi/runtime/rpc.js';

/** Properties of a resource as the engine sends them: JSON, in which secrets, assets and what is not known yet have marks of their own. */
export type Bag = Record<string, unknown>;

export function secret(value: unknown): unknown {
  return { [specialSigKey]: specialSecretSig, value };
}

/** The value without the marks of secrets, at any depth. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isBag(value)) return value;
  if (value[specialSigKey] === specialSecretSig) return plain(value['value']);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

export function holdsSecret(value: unknown): boolean {
  return holds(value, (each) => isBag(each) && each[specialSigKey] === specialSecretSig);
}

/** Whether some of it is known only after another resource was made; only previews have such values. */
export function holdsUnknown(value: unknown): boolean {
  return holds(value, (each) => each === unknownValue);
}

/** Whether two values mean the same: a secret is what it hides, nothing is the same as null, and an asset is its content. */
export function same(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(meaning(plain(one)), meaning(plain(other)));
}

function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning);
  if (!isBag(value)) return value ?? undefined;
  const mark = value[specialSigKey];
  if (mark === specialAssetSig || mark === specialArchiveSig) return { mark, hash: value['hash'] };
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null).map(([key, each]) => [key, meaning(each)]));
}

function holds(value: unknown, test: (value: unknown) => boolean): boolean {
  if (test(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some((each) => holds(each, test));
}

function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
