import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import { LocalWorkspace } from '@pulumi/pulumi/automation/index.js';
import { absoluteBackend, fileUrl, ownHome } from './backend.ts';
import { maskOutputs } from './maskedOutputs.ts';
import { located } from './options.ts';
import type { EnvironmentOptions } from './options.ts';
import { keptPassphrase, stackPassphrase } from './passphrase.ts';
import { isCopied, keptDirectory } from './project.ts';
import type { Project } from './project.ts';
import { openPulumi } from './pulumiCli.ts';
import { variable } from './variable.ts';

/** Makes a workspace in a directory, with its temporary files in `scratch`. Its variables are its own: an operation sets some that are for no other. */
export type OpenWorkspace = (directory: string, scratch: string) => Promise<LocalWorkspace>;

/**
 * Finds what all workspaces of an environment have: the CLI, the passphrase, and the variables of the engine.
 * @param state the directory of a state in files
 */
export async function workspacesOf(o: EnvironmentOptions, project: Project, state: string | undefined): Promise<OpenWorkspace> {
  const source = located(o);
  const { stack, stateDir, kubeconfig, passphraseFile } = source;
  const { settings, backend } = project;
  const passphrase = passphraseFile === undefined ? await stackPassphrase({ stack, settings, backend, env: process.env }) : await keptPassphrase(passphraseFile);
  const pulumiCommand = await openPulumi(o.pulumiBin);
  const backendUrl = absoluteBackend(variable('PULUMI_BACKEND_URL') ?? backend, isCopied(source) ? keptDirectory(stateDir, stack) : source.program);
  const passphrasePath = variable('PULUMI_CONFIG_PASSPHRASE_FILE');
  const variables: Record<string, string | undefined> = {
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    // Read by the Kubernetes provider itself: what others have written is overwritten only where an object says so. It has to be gone, whatever it
    // says: where it is there at all, a preview of an object that is made anew under its name is a conflict with the one before.
    PULUMI_K8S_ENABLE_PATCH_FORCE: undefined,
    // The program calls the engine on this machine, by a library that would do so through the proxy of `https_proxy` or `http_proxy`. No other program reads this.
    no_grpc_proxy: [variable('no_grpc_proxy') ?? [], '127.0.0.1', 'localhost'].flat().join(','),
    // The language host takes the first Node.js on PATH, which may be too old for the program.
    PATH: [dirname(process.execPath), ...(o.plugins ?? []).map((directory) => resolve(directory)), process.env['PATH'] ?? ''].join(delimiter),
    // A package among the dependencies is no reason to download its plugin: Google Cloud's is large, and few settings use it.
    PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL: process.env['PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL'] ?? 'true',
    ...(o.plugins === undefined ? {} : { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true' }),
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
    ...(passphrase === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: passphrase }),
    // The CLI would take it from where it runs.
    ...(passphrasePath === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: resolve(passphrasePath) }),
    ...(backendUrl === undefined ? {} : { PULUMI_BACKEND_URL: backendUrl }),
    ...(state === undefined ? {} : await fileBackend(stateDir, state)),
  };
  return async (workDir, scratch) => {
    const workspace = await LocalWorkspace.create({
      workDir, pulumiCommand,
      // The CLI makes a stack with a passphrase unless it is told, and then strikes out what its settings say. A sandbox's has one.
      ...(settings.secretsprovider === undefined || passphraseFile !== undefined ? {} : { secretsProvider: settings.secretsprovider }),
      // The CLI inherits the process's variables, other than those that have no value here, for which the Automation API has no type.
      envVars: { ...variables, TMPDIR: scratch } as Record<string, string>,
    });
    maskOutputs(workspace);
    return workspace;
  };
}

/** How else plain `pulumi` may be told to write a state, by the names that it has for it now and had before. */
const otherForms = ['GZIP', 'ZSTD', 'LEGACY_LAYOUT'].flatMap((form) => [`PULUMI_DIY_BACKEND_${form}`, `PULUMI_SELF_MANAGED_STATE_${form}`]);

/** State in files, in the form that is read here, and with it a home of its own. */
async function fileBackend(stateDir: string, state: string): Promise<Record<string, string>> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  return { PULUMI_BACKEND_URL: fileUrl(state), PULUMI_HOME: variable('PULUMI_HOME') ?? ownHome(stateDir), ...Object.fromEntries(otherForms.map((name) => [name, 'false'])) };
}
