import * as pulumi from '@pulumi/pulumi';

import type { Configuration } from '../../config/schema.ts';
import { UserError } from '../../errors.ts';
import { configurationOf, unseenSettings } from '../configuration.ts';
import { type EnvironmentOptions, located } from '../options.ts';
import { stackName } from '../project.ts';
import { filesOf, type RenderedFile } from './files.ts';
import { gcpResource, helmRelease, kubernetesObject, type RenderedObject } from './objects.ts';
import { type Registered, registrationOf } from './program.ts';

/** Everything that `up` would write, as files. */
export interface Rendering {
  readonly files: readonly RenderedFile[];
  /** What the program does besides, which is no object of a cluster or a cloud: `tls:index/privateKey:PrivateKey tier1-key`. */
  readonly others: readonly string[];
}

/**
 * Renders a stack's settings in a process of its own.
 * @throws UserError where settings come from Pulumi ESC, as the files would be those of others
 */
export async function renderStack(environment: EnvironmentOptions): Promise<Rendering> {
  const unseen = await unseenSettings(environment);
  if (unseen !== undefined) throw new UserError(`${unseen}.`, { exitCode: 2, remedy: 'Write settings under config: instead, or render a copy of the file without environment:.' });
  const configuration = await configurationOf(environment, 'unchecked');
  return await caught(() => render(configuration, stackName(located(environment).stack)));
}

/**
 * Runs what runs the program on mocks: whatever the program does wrong, wherever, ends it. For a process of its own.
 * @throws UserError for what the program itself says
 */
export async function caught<T>(run: () => Promise<T>): Promise<T> {
  // What is wrong in a value that is only computed is nobody's promise to catch.
  const failure = Promise.withResolvers<never>();
  process.on('unhandledRejection', failure.reject);
  try {
    return await Promise.race([run(), failure.promise]);
  } catch (error) {
    throw pulumi.RunError.isInstance(error) ? new UserError(error.message, { cause: error }) : error;
  }
}

/** Renders a configuration, contacting nothing. Its mocks are the process's: call it once in a process. */
export async function render(configuration: Configuration, stack: string): Promise<Rendering> {
  const { resources } = await registrationOf(configuration, stack);
  return {
    files: filesOf(objectsOf(resources)),
    others: resources.filter((resource) => objectOf(resource) === undefined && !isStructure(resource)).map(({ type, name }) => `${type} ${name}`).sort(),
  };
}

/** The objects among the resources. */
export function objectsOf(resources: readonly Registered[]): RenderedObject[] {
  return resources.flatMap((resource) => objectOf(resource) ?? []);
}

function objectOf(resource: Registered): RenderedObject | undefined {
  const { type, name, provider } = resource;
  if (type.startsWith('gcp:')) return gcpResource(resource);
  if (!type.startsWith('kubernetes:')) return undefined;
  // Without one it would go wherever the person's own kubeconfig points.
  if (provider === undefined) throw new Error(`${type} ${name} is registered without a cluster.`);
  return type === 'kubernetes:helm.sh/v3:Release' ? helmRelease(resource, provider) : kubernetesObject(resource, provider);
}

/** Components and providers: they are nothing of their own. */
function isStructure({ type }: Registered): boolean {
  return type.startsWith('kbf:') || type.startsWith('pulumi:');
}
