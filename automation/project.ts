import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { readStackFile } from '../config/stack-file.ts';
import { UserError } from '../errors.ts';
import { rememberedAt } from './remembered.ts';

/** The parts of `Pulumi.yaml` that are read here. */
interface ProjectFile {
  name: string;
  main?: string;
  backend?: { url?: string };
  /** Settings of all stacks; a text names the directory of their files. */
  config?: unknown;
}

/** The parts of `Pulumi.<stack>.yaml` that are read here. */
export interface StackFile {
  secretsprovider?: string;
  encryptionsalt?: string;
  config?: Record<string, unknown>;
  /** Environments of Pulumi ESC. */
  environment?: unknown;
}

/** A stack's project, as its files say it. */
export interface Project {
  readonly name: string;
  readonly stack: string;
  /** Where the engine starts the program. */
  readonly program: string;
  readonly settings: StackFile;
  /** Where state lies, if `Pulumi.yaml` says it. */
  readonly backend: string | undefined;
}

/** Where the program and its settings are taken from. */
export interface ProjectSource {
  /** The directory of the Pulumi program. */
  readonly program: string;
  readonly stack: string;
  /** Settings outside the program's directory. */
  readonly configFile: string | undefined;
}

export interface ProjectOptions extends ProjectSource {
  /** Configuration values that replace the file's; keys without the project's name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The directory that the engine runs in for one operation. */
export interface ProjectDirectory extends AsyncDisposable {
  readonly path: string;
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

/** What a stack's files say now. Nothing is written. */
export async function openProject(o: ProjectSource): Promise<Project> {
  const { project, settings } = await readProject(o);
  return { name: project.name, stack: o.stack, program: startOf(resolve(o.program, project.main ?? '.')), settings, backend: project.backend?.url };
}

/**
 * The directory for one operation: the program's own for a stack whose settings lie there and are used as they are; else one that is made in `scratch`, has only
 * the settings as they are now, and points to the program. So nobody changes what an operation runs once it was checked. What Pulumi itself writes into a
 * stack's settings (a salt) never ends up in the checkout for a sandbox, but in the directory `kept`, where the next operation takes it from.
 */
export async function openDirectory(o: ProjectOptions, { scratch, kept }: { scratch: string; kept: string }): Promise<ProjectDirectory> {
  if (!isCopied(o)) return { path: o.program, [Symbol.asyncDispose]: () => Promise.resolve() };
  const path = join(scratch, 'project');
  const [file, keptFile] = [path, kept].map((directory) => join(directory, settingsFile(o.stack))) as [string, string];
  const before = await writeProject(o, path, await saltIn(keptFile));
  return {
    path,
    async [Symbol.asyncDispose]() {
      const salt = await saltIn(file);
      if (salt !== undefined && salt !== before) await keepSalt(keptFile, salt);
    },
  };
}

/** Whether an operation runs on a copy of the settings. */
export function isCopied({ configFile, settings }: Pick<ProjectOptions, 'configFile' | 'settings'>): boolean {
  return configFile !== undefined || Object.keys(settings).length > 0;
}

/** What is kept for a stack whose settings are copied for each operation. */
export function keptDirectory(stateDir: string, stack: string): string {
  return rememberedAt(join(stateDir, 'projects'), stack);
}

/** `main` may be a directory or a file in it. */
function startOf(main: string): string {
  return statSync(main, { throwIfNoEntry: false })?.isDirectory() === true ? main : dirname(main);
}

/** The file in which a person writes the settings. */
export function sourceFile({ program, stack, configFile }: ProjectSource): string {
  return configFile ?? join(program, settingsFile(stack));
}

/** The project's and the stack's files, as they are. */
export async function readProject(o: ProjectSource): Promise<{ project: ProjectFile; settings: StackFile }> {
  const source = sourceFile(o);
  if (!existsSync(source)) await refuse(o, source);
  return { project: await readProjectFile(o.program), settings: readStackFile(source) };
}

export async function readProjectFile(directory: string): Promise<ProjectFile> {
  return await readYaml<ProjectFile>(join(directory, 'Pulumi.yaml'));
}

/** @returns the salt that the settings have */
async function writeProject(o: ProjectOptions, directory: string, salt: string | undefined): Promise<string | undefined> {
  const { project, settings: file } = await readProject(o);
  // A key stands there with the project's name or without it: what is replaced must not stay beside what replaces it.
  const staying = Object.entries(file.config ?? {}).filter(([key]) => !Object.hasOwn(o.settings, key.startsWith(`${project.name}:`) ? key.slice(project.name.length + 1) : key));
  const replacing = Object.entries(o.settings).map(([key, value]) => [`${project.name}:${key}`, value] as const);
  const settings: StackFile = { ...(salt === undefined ? {} : { encryptionsalt: salt }), ...file, config: Object.fromEntries([...staying, ...replacing]) };
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, settingsFile(o.stack)), stringify(settings), { mode: 0o600 });
  await writeFile(join(directory, 'Pulumi.yaml'), stringify({ ...project, main: resolve(o.program, project.main ?? '.') }));
  return settings.encryptionsalt;
}

async function saltIn(file: string): Promise<string | undefined> {
  return existsSync(file) ? (await readYaml<StackFile | null>(file))?.encryptionsalt : undefined;
}

/** Whole or not at all, as another operation may read it. */
async function keepSalt(file: string, encryptionsalt: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, stringify({ encryptionsalt }), { mode: 0o600 });
  await rename(written, file);
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
    return parse(await readFile(file, 'utf8'), { merge: true }) as T;
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`, { exitCode: 2, cause: error });
  }
}
