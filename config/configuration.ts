import { checkAcross, type Surroundings } from './checks.ts';
import { checkSecrets, encrypted } from './checks/secrets.ts';
import { complete } from './complete.ts';
import { findingsOf } from './issues.ts';
import { nearest } from './near.ts';
import { ConfigurationError, type Finding, type Problem, problemsFrom } from './problems.ts';
import { readable } from './readable.ts';
import { type Configuration, configurationSchema } from './schema.ts';

/**
 * Validates a configuration as a whole, against the kubeconfig files that it names.
 * @param raw the keys of `Pulumi.<stack>.yaml` without their `kafka-bridge-failover:` prefix
 * @param directory where relative paths begin
 * @param contexts `unchecked` where no cluster is contacted, and its kubeconfig need not be there
 * @throws ConfigurationError with every problem at once
 */
export function parseConfiguration(raw: unknown, directory: string, contexts: Surroundings['contexts'] = 'checked'): Configuration {
  const problems = problemsOf(raw, { directory, contexts });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return completed(raw, directory);
}

/** The configuration in settings that have no problem. */
export function completed(raw: unknown, directory: string): Configuration {
  return complete(configurationSchema.parse(raw), directory);
}

/** Every problem of a configuration, in the order of its concerns. */
export function problemsOf(raw: unknown, surroundings: Surroundings, more: readonly Finding[] = []): Problem[] {
  const effective = readable(raw);
  // What is said of a secret comes before what is said of the same value in other terms.
  const findings = [...more, ...checkSecrets(raw), ...findingsOf(configurationSchema, raw), ...checkAcross(effective, raw, surroundings)];
  const concerns = Object.keys(configurationSchema.shape);
  const rank = ({ path: [first] }: Finding): number => concerns.indexOf(String(first));
  return problemsFrom(findings.toSorted((a, b) => rank(a) - rank(b)), raw, effective);
}

/** A setting of a stack, with the project's name in its key. */
export interface Keyed {
  readonly key: string;
  readonly value: unknown;
  /** Whether Pulumi has it encrypted. */
  readonly encrypted?: boolean;
}

/** The settings that are a project's own, which is what keys without a project's name are as well, and what is wrong with how they are kept. */
export function findingsOfKeys(keys: readonly Keyed[], project: string): { raw: Record<string, unknown>; findings: Finding[] } {
  const split = keys.map((setting) => {
    const colon = setting.key.indexOf(':');
    return { ...setting, namespace: colon < 0 ? project : setting.key.slice(0, colon), name: setting.key.slice(colon + 1) };
  });
  const own = split.filter(({ namespace }) => namespace === project);
  // Pulumi takes one of two without a word.
  const twice = own.filter(({ name }, index) => own.findIndex((other) => other.name === name) < index);
  const secret = own.filter((setting) => setting.encrypted === true);
  return {
    raw: Object.fromEntries(own.map(({ name, value, encrypted: isSecret }) => [name, isSecret === true ? undefined : value])),
    findings: [...twice.map(({ key, name }) => ({ path: [key], found: 'a setting that is there twice', allowed: `one of ${name} and ${project}:${name}, which are the same` })), ...secret.map(({ name }) => encrypted([name])), ...split.flatMap(({ namespace, key }) => strayKey(key, namespace, project))],
  };
}

/** Other projects' settings are none of ours, but one that nearly has our name was meant for us. */
function strayKey(key: string, namespace: string, project: string): Finding[] {
  if (namespace === project || nearest(namespace, [project]) === undefined) return [];
  return [{ path: [key], found: 'a key of another project', allowed: `keys that begin with ${project}:`, suggestion: `${project}${key.slice(namespace.length)}` }];
}

/** Pulumi keeps and hands over structured values as JSON, and everything else as text. */
export function structured(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]|^(true|false)$/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // not JSON after all: the schema says what is allowed there
  }
}
