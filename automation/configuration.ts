import { join } from 'node:path';

import type { Surroundings } from '../config/checks.ts';
import { ConfigurationError } from '../config/problems.ts';
import type { Configuration } from '../config/schema.ts';
import { loadConfiguration } from '../config/stack-file.ts';
import type { EnvironmentOptions, Located } from './options.ts';
import { located, readSettings } from './options.ts';
import { settingsFile, sourceFile } from './project.ts';

/**
 * A stack's settings as the program will understand them.
 * @param contexts `unchecked` where no cluster is contacted, and its kubeconfig need not be there
 * @throws ConfigurationError with every problem at once
 */
export async function configurationOf(o: EnvironmentOptions, contexts: Surroundings['contexts']): Promise<Configuration> {
  const { project } = await readSettings(o);
  const { program, settings, ...source } = located(o);
  return loadConfiguration(sourceFile({ program, ...source }), { project: project.name, directory: program, contexts, settings });
}

/**
 * The settings that an operation is about to run, out of the directory that it runs them in.
 * @throws ConfigurationError with every problem at once
 */
export function configurationIn(directory: string, source: Located, project: string): Configuration {
  try {
    return loadConfiguration(join(directory, settingsFile(source.stack)), { project, directory: source.program, contexts: 'checked' });
  } catch (error) {
    // Who has to change them knows them by their own file.
    if (error instanceof ConfigurationError) throw new ConfigurationError(error.problems, sourceFile(source));
    throw error;
  }
}
