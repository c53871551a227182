import { join } from 'node:path';

import type { Surroundings } from '../config/checks.ts';
import type { Configuration } from '../config/schema.ts';
import { loadConfiguration } from '../config/stack-file.ts';
import type { EnvironmentOptions } from './options.ts';
import { located, readSettings } from './options.ts';
import { settingsFile } from './project.ts';

/**
 * A stack's settings as the program will understand them.
 * @param contexts `unchecked` where no cluster is contacted, and its kubeconfig need not be there
 * @throws ConfigurationError with every problem at once
 */
export async function configurationOf(o: EnvironmentOptions, contexts: Surroundings['contexts']): Promise<Configuration> {
  const { stack, program, configFile } = located(o);
  const { project } = await readSettings(o);
  return loadConfiguration(configFile ?? join(program, settingsFile(stack)), {
    project: project.name, directory: program, contexts,
    settings: { ...(o.kubeconfig === undefined ? {} : { kubeconfig: o.kubeconfig }), ...o.settings },
  });
}
