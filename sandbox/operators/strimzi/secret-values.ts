import { Failure, type Secret } from './model.ts';

/**
 * What a Secret holds under some keys, decoded.
 * @param secrets by name, those that are there
 * @throws Failure naming the Secret or the keys that are missing, as the real operator does
 */
export function valuesOf(namespace: string, secretName: string, keys: readonly string[], secrets: ReadonlyMap<string, Secret>): string[] {
  const data = dataOf(namespace, secretName, secrets);
  const missing = keys.filter((key) => data[key] === undefined);
  if (missing.length > 0) throw new Failure('InvalidConfigurationException', `Items with key(s) [${missing.join(', ')}] are missing in Secret ${secretName}`);
  return keys.map((key) => Buffer.from(data[key] ?? '', 'base64').toString('utf8'));
}

/** @throws Failure naming the Secret when it is not there */
export function dataOf(namespace: string, secretName: string, secrets: ReadonlyMap<string, Secret>): Readonly<Record<string, string>> {
  const secret = secrets.get(secretName);
  if (secret === undefined) throw new Failure('InvalidConfigurationException', `Secret ${secretName} not found in namespace ${namespace}`);
  return secret.data ?? {};
}
