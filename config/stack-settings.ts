import * as pulumi from '@pulumi/pulumi';

import { completed, findingsOfKeys, type Keyed, problemsOf, structured } from './configuration.ts';
import { ConfigurationError } from './problems.ts';
import type { Configuration } from './schema.ts';

/**
 * The configuration of the stack that Pulumi runs.
 * @throws pulumi.RunError, which Pulumi prints without a stack trace
 */
export function readConfiguration(): Configuration {
  const directory = process.cwd();
  const { raw, findings } = findingsOfKeys(stackKeys(), pulumi.getProject());
  const problems = problemsOf(raw, { directory, contexts: 'checked' }, findings);
  if (problems.length === 0) return completed(raw, directory);
  const error = new ConfigurationError(problems, `Pulumi.${pulumi.getStack()}.yaml`);
  throw new pulumi.RunError([error.message, error.remedy].join('\n'));
}

/** What Pulumi hands over. */
function stackKeys(): Keyed[] {
  const secret = JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]') as string[];
  return Object.entries(pulumi.runtime.allConfig()).map(([key, value]) => ({ key, value: structured(value), encrypted: secret.includes(key) }));
}
