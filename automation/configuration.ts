import { join } from 'node:path';

import type { Surroundings } from '../config/checks.ts';
import type { Configuration } from '../config/schema.ts';
import { hasEnvironments, loadConfiguration } from '../config/stack-file.ts';
import type { EnvironmentOptions, Located } from './options.ts';
import { located, readSettings } from './options.ts';
import { readProjectFile, settingsFile, sourceFile } from './project.ts';

/**
 * A stack's settings as the program will understand them.
 * @param contexts `unchecked` where no cluster is contacted, and its kubeconfig need not be there
 * @throws ConfigurationError with every problem at once
 */
export async function configurationOf(o: EnvironmentOptions, contexts: Surroundings['contexts']): Promise<Configuration> {
  const { project } = await readSettings(o);
  const { program, settings, ...source } = located(o);
  return loadConfiguration(sourceFile({ program, ...source }), { project: project.name, projectConfig: project.config, directory: program, contexts, settings });
}

/** What is to be said where the stack's file has `environment:`: its settings from Pulumi ESC reach the program, and nothing that looks at them without it. */
export async function unseenSettings(o: EnvironmentOptions): Promise<string | undefined> {
  const { settings } = await readSettings(o);
  return hasEnvironments(settings.environment) ? `${sourceFile(located(o))} has environment: what Pulumi ESC brings from there is seen by the program alone` : undefined;
}

/**
 * The settings that an operation is about to run, out of the directory that it runs them in.
 * @throws ConfigurationError with every problem at once
 */
export async function configurationIn(directory: string, source: Located): Promise<Configuration> {
  const { name: project, config: projectConfig } = await readProjectFile(directory);
  return loadConfiguration(join(directory, settingsFile(source.stack)), { project, projectConfig, directory: source.program, contexts: 'checked', source: sourceFile(source) });
}
