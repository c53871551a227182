import { statSync } from 'node:fs';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Deployment, Stack } from '@pulumi/pulumi/automation/index.js';
import { UserError } from '../errors.ts';
import { commandFailure, isLocked, runPulumi, shellCommand } from './pulumiCli.ts';

/** The parts of an exported stack that are read or changed here; the rest travels along. */
export interface StackState {
  resources?: ResourceState[];
  pending_operations?: { type: string; resource: ResourceState }[];
}

export interface ResourceState {
  urn: string;
  type: string;
  custom: boolean;
  id?: string;
  parent?: string;
  /** `<urn>::<id>` of its provider. */
  provider?: string;
  protect?: boolean;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  deletedWith?: string;
  inputs?: { apiVersion?: string; kind?: string; metadata?: { name?: string; namespace?: string }; context?: unknown; kubeconfig?: unknown };
  outputs?: object;
  /** Why it is not what it is to be, though it exists. */
  initErrors?: string[];
}

/** Where the file backend keeps what belongs to one stack. */
export interface StackFiles {
  /** The directory of the file backend. */
  state: string;
  project: string;
  stack: string;
}

/** A cluster as the state has it: one provider, by which its objects were made. */
export interface ClusterInState {
  /** URN of the provider. */
  readonly provider: string;
  readonly context: string;
  /** Path of a kubeconfig file, or the text of one; undefined where the state does not say it in plain text. */
  readonly kubeconfig: string | undefined;
}

/** A stack's state. Files are read directly: asking the CLI would cost every operation half a second. */
export async function readState(files: StackFiles | undefined, stack: Stack): Promise<StackState> {
  return ((await exported(files, stack)).deployment ?? {}) as StackState;
}

/** Changes a stack's state past the engine, if `change` says that there is something to change. */
export async function editState(files: StackFiles | undefined, stack: Stack, change: (state: StackState) => boolean): Promise<void> {
  const deployment = await exported(files, stack);
  if (!change(deployment.deployment as StackState)) return;
  // The Automation API leaves its file behind where the import fails, for all to read.
  await using directory = await mkdtempDisposable(join(stack.workspace.envVars['TMPDIR'] ?? tmpdir(), 'state-'));
  const file = join(directory.path, 'state.json');
  await writeFile(file, JSON.stringify(deployment), { mode: 0o600 });
  await ask(stack, 'changed', ['import', '--file', file]);
}

/** As `pulumi stack export` gives it: secret values are encrypted, and stay so. The Automation API asks for them in plain text. */
async function exported(files: StackFiles | undefined, stack: Stack): Promise<Deployment> {
  if (!files) return JSON.parse(await ask(stack, 'read', ['export'])) as Deployment;
  const file = fileOf(files);
  if (file === undefined) return { version: 3, deployment: {} };
  const { version, checkpoint } = JSON.parse(file.plain(await readFile(file.path)).toString()) as { version: number; checkpoint?: { latest?: StackState | null } };
  return { version, deployment: checkpoint?.latest ?? {} };
}

async function ask({ name, workspace }: Stack, what: string, args: string[]): Promise<string> {
  try {
    return await runPulumi(workspace, ['stack', ...args, '--stack', name]);
  } catch (error) {
    const said = commandFailure(error);
    const remedy = isLocked(said) ? { code: 'locked' as const, remedy: `Somebody else works on it: try again when they are done. After a run that was killed: ${shellCommand(workspace, ['cancel', '--stack', name])}` } : {};
    throw new UserError(`The state of stack ${name} cannot be ${what}.\n${said}`, { ...remedy, cause: error });
  }
}

/** Whether the stack exists; false where its state is not in files, as then only the CLI can tell. */
export function isThere(files: StackFiles | undefined): files is StackFiles {
  return files !== undefined && fileOf(files) !== undefined;
}

/** What the CLI adds to the name of a state that it compresses, as plain `pulumi` does where its variables say so. */
const plainBy: Record<string, (bytes: Buffer) => Buffer> = { '': (bytes) => bytes, '.gz': gunzipSync, '.zst': zstdDecompressSync };

/** The file that the CLI would take: where there are several, the one that was written last. */
function fileOf({ state, project, stack }: StackFiles): { readonly path: string; readonly plain: (bytes: Buffer) => Buffer } | undefined {
  let last: { path: string; plain: (bytes: Buffer) => Buffer; written: bigint } | undefined;
  for (const [added, plain] of Object.entries(plainBy)) {
    const path = join(state, '.pulumi', 'stacks', project, `${stack}.json${added}`);
    const written = statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
    if (written !== undefined && (last === undefined || written >= last.written)) last = { path, plain, written };
  }
  return last;
}

/** The clusters that a state has objects in. */
export function clustersInState({ resources = [] }: StackState): ClusterInState[] {
  return resources
    .filter(({ urn, type }) => type === 'pulumi:providers:kubernetes' && resources.some((each) => isOf(each, urn)))
    .map(({ urn, inputs = {} }) => ({
      provider: urn,
      context: typeof inputs.context === 'string' ? inputs.context : nameOf(urn),
      kubeconfig: typeof inputs.kubeconfig === 'string' ? inputs.kubeconfig : undefined,
    }));
}

/** URNs of the objects in clusters, of the clusters' providers, and of components that have nothing elsewhere, with what is said of them. */
export function resourcesIn(state: StackState, providers: ReadonlySet<string>): Set<string> {
  const { resources = [] } = state;
  const found = new Set([...providers, ...resources.filter((each) => [...providers].some((urn) => isOf(each, urn))).map(({ urn }) => urn)]);
  const components = new Set(resources.filter(({ custom, type }) => !custom && type !== stackType).map(({ urn }) => urn));
  for (const component of components) {
    const below = descendants(state, component);
    const objects = below.filter((urn) => !components.has(urn));
    if (objects.length > 0 && objects.every((urn) => found.has(urn))) [component, ...below].forEach((urn) => found.add(urn));
  }
  return found;
}

/** URNs of a resource's children, theirs, and so on. */
export function descendants({ resources = [] }: StackState, urn: string): string[] {
  return resources.filter(({ parent }) => parent === urn).flatMap((child) => [child.urn, ...descendants({ resources }, child.urn)]);
}

const stackType = 'pulumi:pulumi:Stack';

/** The last part of an URN. */
export function nameOf(urn: string): string {
  return urn.split('::').slice(3).join('::');
}

/** The URN in a provider reference. */
export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf('::'));
}

function isOf({ provider }: ResourceState, urn: string): boolean {
  return provider !== undefined && providerUrn(provider) === urn;
}
