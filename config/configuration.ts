import * as pulumi from '@pulumi/pulumi';

import { checkAcross, checkContexts, type ValidConcerns } from './checks.ts';
import { complete } from './complete.ts';
import { ConfigurationError, problemsOf } from './problems.ts';
import { type Configuration, configurationSchema } from './schema.ts';

/**
 * Validates a configuration as a whole, against the kubeconfig file that it names.
 * @param raw the keys of `Pulumi.<stack>.yaml` without their `kafka-bridge-failover:` prefix
 * @param directory where relative paths begin
 * @param contexts `unchecked` where no cluster is contacted, and its kubeconfig need not be there
 * @throws ConfigurationError with every problem at once
 */
export function parseConfiguration(raw: unknown, directory: string, contexts: 'checked' | 'unchecked' = 'checked'): Configuration {
  const result = configurationSchema.safeParse(raw);
  const problems = [
    ...(result.success ? [] : problemsOf(result.error, raw)),
    ...checkAcross(result.success ? result.data : validConcerns(raw)),
    ...(contexts === 'checked' ? checkContexts(raw, directory) : []),
  ];
  if (!result.success || problems.length > 0) throw new ConfigurationError(problems);
  return complete(result.data, directory);
}

/**
 * The configuration of the stack that Pulumi runs.
 * @throws pulumi.RunError, which Pulumi prints without a stack trace
 */
export function readConfiguration(): Configuration {
  try {
    return parseConfiguration(stackConfiguration(), process.cwd());
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new pulumi.RunError([error.message, error.remedy].join('\n'));
  }
}

/** The concerns that are right by themselves, so that one wrong value does not hide what is wrong elsewhere. */
function validConcerns(raw: unknown): ValidConcerns {
  const values: Record<string, unknown> = typeof raw === 'object' && raw !== null ? { ...raw } : {};
  return Object.fromEntries(
    Object.entries(configurationSchema.shape).flatMap(([key, schema]) => {
      const result = schema.safeParse(values[key]);
      return result.success ? [[key, result.data]] : [];
    }),
  );
}

/** Pulumi hands structured values over as JSON, and text as it is. */
function stackConfiguration(): Record<string, unknown> {
  const prefix = `${pulumi.getProject()}:`;
  const entries = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), structured(value)]));
}

function structured(value: string): unknown {
  if (!/^\s*[[{]|^(true|false)$/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // not JSON after all: the schema says what is allowed there
  }
}
