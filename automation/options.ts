import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stackPassphrase } from './passphrase.ts';
import { readProject, stackOfFile } from './project.ts';

/** What an environment is made of. All of it is plain data: it crosses process boundaries. Relative paths begin in the current directory. */
export interface EnvironmentOptions {
  /** The stack's name. Default: the one that `configFile` is named for. */
  stack?: string;
  /** A `Pulumi.<stack>.yaml` outside the program's directory. */
  configFile?: string;
  /** Where the state lies while no other backend is set. Default: `.kbf` in this package. */
  stateDir?: string;
  /** The directory of the Pulumi program. Default: this package's. */
  program?: string;
  /** One kubeconfig file for all contexts that the settings name; it becomes the setting `kubeconfig`. */
  kubeconfig?: string;
  /** Configuration values that replace those of the settings file; keys without the project's name. */
  settings?: Record<string, unknown>;
  /** The `bin` directory of a Pulumi installation. Default: the `pulumi` on PATH. */
  pulumiBin?: string;
  /** Directories of the engine's plugins besides those of `pulumiBin`; it then downloads none. Default: the engine finds or downloads what it needs. */
  plugins?: string[];
  /** A passphrase is made and kept in this file. Default: Pulumi's own variables decide. */
  passphraseFile?: string;
  /** The state stays in `stateDir` whatever backend is set, because it must end together with a sandbox. */
  ownBackend?: boolean;
}

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where state and reports lie unless told otherwise. */
export const defaultStateDir = join(root, '.kbf');

/** The passphrase of a stack, asked for where Pulumi's own variables do not say it and it is needed; else undefined. */
export async function askedPassphrase(o: EnvironmentOptions, ask: ((question: string) => Promise<string>) | undefined): Promise<string | undefined> {
  if (o.passphraseFile !== undefined) return undefined;
  const { stack, settings, project } = await readSettings(o);
  return await stackPassphrase({ stack, settings, backend: project.backend?.url, env: process.env, ask });
}

/** The stack's settings as they stand in its file. */
export async function readSettings(o: EnvironmentOptions): Promise<Awaited<ReturnType<typeof readProject>> & { stack: string; program: string }> {
  const { stack, program, configFile } = located(o);
  return { stack, program, ...await readProject({ stack, program, configFile }) };
}

/** Where everything is that the options name or leave to their defaults, as absolute paths. */
export interface Located {
  readonly stack: string;
  readonly stateDir: string;
  readonly program: string;
  readonly configFile: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly passphraseFile: string | undefined;
  /** All values that replace those of the settings file, the kubeconfig among them. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The options with their defaults. */
export function located(o: EnvironmentOptions): Located {
  const [configFile, kubeconfig, passphraseFile] = [o.configFile, o.kubeconfig, o.passphraseFile].map((path) => (path === undefined ? undefined : resolve(path)));
  return {
    program: resolve(o.program ?? root),
    stateDir: resolve(o.stateDir ?? defaultStateDir),
    stack: o.stack ?? (o.configFile === undefined ? 'dev' : stackOfFile(o.configFile)),
    configFile, kubeconfig, passphraseFile,
    settings: { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...o.settings },
  };
}
