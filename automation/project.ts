import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { readStackFile } from '../config/stack-file.ts';
import { UserError } from '../errors.ts';

/** The parts of `Pulumi.yaml` that are read here. */
interface ProjectFile {
  name: string;
  main?: string;
  backend?: { url?: string };
}

/** The parts of `Pulumi.<stack>.yaml` that are read here. */
export interface StackFile {
  secretsprovider?: string;
  encryptionsalt?: string;
  config?: Record<string, unknown>;
}

/** A directory that Pulumi takes for the project, with the stack's settings in it. */
export interface Project {
  readonly name: string;
  readonly stack: string;
  readonly directory: string;
  /** Where the engine starts the program. */
  readonly program: string;
  readonly settings: StackFile;
  /** Where state lies, if `Pulumi.yaml` says it. */
  readonly backend: string | undefined;
}

/** Where the program and its settings are taken from. */
export interface ProjectSource {
  /** The directory of the Pulumi program. */
  program: string;
  stack: string;
  /** Settings outside the program's directory. */
  configFile: string | undefined;
}

export interface ProjectOptions extends ProjectSource {
  /** Where a project of one's own is made when the program's directory must not be written to. */
  directory: string;
  /** Configuration values that replace the file's; keys without the project's name. */
  settings: Readonly<Record<string, unknown>>;
}

/** `Pulumi.prod.yaml` → `prod`. */
export function stackOfFile(file: string): string {
  const stack = /^Pulumi\.([A-Za-z0-9_.-]+)\.ya?ml$/.exec(basename(file))?.[1];
  if (stack !== undefined) return stack;
  throw new UserError(`${file} does not say which stack it is for.`, { exitCode: 2, remedy: 'Name it Pulumi.<stack>.yaml.' });
}

/** `prod` → `Pulumi.prod.yaml`, and `acme/prod` as well: an organization of Pulumi Cloud has its stacks' settings in files of the stacks' own names. */
export function settingsFile(stack: string): string {
  return `Pulumi.${stackName(stack)}.yaml`;
}

/** A stack as the program knows it, without the organization and the project before it. */
export function stackName(stack: string): string {
  const parts = stack.split('/');
  // Directories are named for stacks, too.
  if (parts.length <= 3 && parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part) && !/^\.+$/.test(part))) return parts.at(-1) ?? stack;
  throw new UserError(`${stack} is no name of a stack.`, { exitCode: 2, remedy: 'Say prod, or acme/prod for the stack prod of the organization acme.' });
}

/**
 * The project to run the engine in. It is the program's own directory for a stack whose settings lie there
 * and are used as they are; else a directory is made that has only the settings and points to the program. So what
 * Pulumi writes into a stack's settings (a salt) never ends up in the checkout for a sandbox.
 */
export async function openProject(o: ProjectOptions): Promise<Project> {
  const { project, settings: file } = await readProject(o);
  const own = o.configFile === undefined && Object.keys(o.settings).length === 0;
  const directory = own ? o.program : o.directory;
  const settings = own ? file : await writeProject(o, project, file);
  return { name: project.name, stack: o.stack, directory, program: startOf(resolve(o.program, project.main ?? '.')), settings, backend: project.backend?.url };
}

/** `main` may be a directory or a file in it. */
function startOf(main: string): string {
  return statSync(main, { throwIfNoEntry: false })?.isDirectory() === true ? main : dirname(main);
}

/** The project's and the stack's files, as they are. */
export async function readProject(o: ProjectSource): Promise<{ project: ProjectFile; settings: StackFile }> {
  const source = o.configFile ?? join(o.program, settingsFile(o.stack));
  if (!existsSync(source)) await refuse(o, source);
  return { project: await readYaml<ProjectFile>(join(o.program, 'Pulumi.yaml')), settings: readStackFile(source) };
}

async function writeProject(o: ProjectOptions, project: ProjectFile, file: StackFile): Promise<StackFile> {
  await mkdir(o.directory, { recursive: true, mode: 0o700 });
  const target = join(o.directory, settingsFile(o.stack));
  const before = existsSync(target) ? await readYaml<StackFile | null>(target) : undefined;
  const settings: StackFile = {
    ...(before?.encryptionsalt === undefined ? {} : { encryptionsalt: before.encryptionsalt }),
    ...file,
    config: { ...file.config, ...Object.fromEntries(Object.entries(o.settings).map(([key, value]) => [`${project.name}:${key}`, value])) },
  };
  await writeFile(target, stringify(settings), { mode: 0o600 });
  await writeFile(join(o.directory, 'Pulumi.yaml'), stringify({ ...project, main: resolve(o.program, project.main ?? '.') }));
  return settings;
}

async function refuse(o: ProjectSource, missing: string): Promise<never> {
  if (o.configFile !== undefined) throw new UserError(`There is no file ${missing}.`, { exitCode: 2 });
  const known = (await readdir(o.program)).map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1]).filter((name) => name !== undefined);
  throw new UserError(`There is no stack ${o.stack}: ${missing} does not exist.`, {
    exitCode: 2,
    remedy: `${known.length > 0 ? `Stacks with settings here: ${known.join(', ')}. ` : ''}Copy Pulumi.dev.yaml and change it, or name a file with --config.`,
  });
}

async function readYaml<T>(file: string): Promise<T> {
  try {
    return parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`, { exitCode: 2, cause: error });
  }
}
