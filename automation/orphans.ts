import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';
import { clustersInState, nameOf, providerUrn, resourcesIn } from './stackState.ts';
import type { ResourceState, StackState } from './stackState.ts';

/** What was left behind in one cluster: the state of its objects, as the stack had it, so that a later run takes them up again. */
export interface Abandoned {
  readonly context: string;
  /** Path of a kubeconfig file, or the text of one. */
  readonly kubeconfig: string;
  /** When it was, as RFC 3339 has it. */
  readonly since: string;
  /** Parents and providers come before what needs them. */
  readonly resources: readonly ResourceState[];
}

/** One object that was left behind. */
export interface Orphan {
  readonly cluster: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent for objects of the cluster itself. */
  readonly namespace?: string;
  readonly name: string;
}

/** The objects in a person's terms, without components and providers. */
export function orphansOf(abandoned: readonly Abandoned[]): Orphan[] {
  return abandoned.flatMap(({ context, resources }) => resources.filter(isObject).map((resource) => {
    const { apiVersion, kind, metadata } = { ...resource.inputs, ...resource.outputs } as NonNullable<ResourceState['inputs']>;
    const [, group = '', last = ''] = resource.type.split(':');
    return {
      cluster: context, apiVersion: apiVersion ?? group,
      // Of a patch only what it wrote was left behind: the object is somebody else's.
      kind: last.endsWith('Patch') ? last : kind ?? last,
      ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata?.name ?? resource.id ?? nameOf(resource.urn),
    };
  }));
}

/**
 * Takes what is in clusters out of a state, and answers it by cluster. What stays forgets that it depended on it. Components around it are
 * answered as well, even where they stay: it needs them to be taken back.
 */
export function abandon(state: StackState, clusters: readonly { context: string; kubeconfig: string }[]): Abandoned[] {
  const resources = state.resources ?? [];
  const abandoned: Abandoned[] = [];
  const gone = new Set<string>();
  for (const { context, kubeconfig } of clusters) {
    const inside = resourcesIn(state, new Set(clustersInState(state).filter((each) => each.context === context).map(({ provider }) => provider)));
    const around = new Set([...inside].flatMap((urn) => ancestors(resources, urn)));
    abandoned.push({ context, kubeconfig, since: new Date().toISOString(), resources: resources.filter(({ urn }) => inside.has(urn) || around.has(urn)) });
    for (const urn of inside) gone.add(urn);
  }
  state.resources = resources.filter(({ urn }) => !gone.has(urn)).map((resource) => without(resource, (urn) => gone.has(urn)));
  state.pending_operations = (state.pending_operations ?? []).filter(({ resource }) => !gone.has(resource.urn));
  return abandoned;
}

/** Puts into a state again what was taken out of it, as far as it is not there anyway; answers the URNs of the objects. */
export function takeBack(state: StackState, abandoned: readonly Abandoned[]): string[] {
  const resources = state.resources ??= [];
  const known = new Map(resources.map((resource) => [resource.urn, resource]));
  const objects: string[] = [];
  for (const resource of abandoned.flatMap((cluster) => cluster.resources)) {
    if (known.has(resource.urn)) continue;
    const back = without(resource, (urn) => !known.has(urn));
    // A provider may have been made anew meanwhile: its reference holds its id.
    if (back.provider !== undefined) {
      const urn = providerUrn(back.provider);
      back.provider = `${urn}::${known.get(urn)?.id ?? ''}`;
    }
    resources.push(back);
    known.set(back.urn, back);
    if (isObject(back)) objects.push(back.urn);
  }
  return objects;
}

/** URNs of the objects among what was left behind that a state has. */
export function objectsIn({ resources = [] }: StackState, abandoned: readonly Abandoned[]): string[] {
  const known = new Set(resources.map(({ urn }) => urn));
  return abandoned.flatMap((cluster) => cluster.resources).filter((resource) => isObject(resource) && known.has(resource.urn)).map(({ urn }) => urn);
}

/** The file in which a stack's orphans are kept; there is none while there are none. */
export class OrphanFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<Abandoned[]> {
    if (!existsSync(this.path)) return [];
    try {
      return (JSON.parse(await readFile(this.path, 'utf8')) as { clusters: Abandoned[] }).clusters;
    } catch (error) {
      throw new UserError(`${this.path} cannot be read: ${(error as Error).message}`, {
        remedy: 'It says what was left behind in clusters that did not answer. Mend it, or remove it and look after those objects yourself.', cause: error,
      });
    }
  }

  /** Adds to what is kept; what is newer replaces what is older. */
  async add(abandoned: readonly Abandoned[]): Promise<void> {
    const before = await this.read();
    const contexts = new Set([...before, ...abandoned].map(({ context }) => context));
    await this.#write([...contexts].flatMap((context) => {
      const [older, newer] = [before, abandoned].map((list) => list.find((each) => each.context === context));
      if (older === undefined || newer === undefined) return older ?? newer ?? [];
      const urns = new Set(newer.resources.map(({ urn }) => urn));
      return [{ ...newer, resources: [...newer.resources, ...older.resources.filter(({ urn }) => !urns.has(urn))] }];
    }));
  }

  /** Forgets what was taken back. */
  async remove(contexts: readonly string[]): Promise<void> {
    await this.#write((await this.read()).filter(({ context }) => !contexts.includes(context)));
  }

  /** Whole or not at all: it is the only trace of these objects. */
  async #write(clusters: readonly Abandoned[]): Promise<void> {
    if (clusters.length === 0) {
      await rm(this.path, { force: true });
      return;
    }
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await writeFile(`${this.path}.new`, `${JSON.stringify({ schema: 1, clusters }, null, 1)}\n`, { mode: 0o600, flush: true });
    await rename(`${this.path}.new`, this.path);
  }
}

function isObject({ custom, type }: ResourceState): boolean {
  return custom && type.startsWith('kubernetes:');
}

function ancestors(resources: readonly ResourceState[], urn: string): string[] {
  const parent = resources.find((resource) => resource.urn === urn)?.parent;
  return parent === undefined ? [] : [parent, ...ancestors(resources, parent)];
}

/** A copy that refers to nothing of what is not there. */
function without(resource: ResourceState, isGone: (urn: string) => boolean): ResourceState {
  const { parent, deletedWith, dependencies, propertyDependencies, ...rest } = resource;
  const there = (urns: readonly string[] | null | undefined): string[] => (urns ?? []).filter((urn) => !isGone(urn));
  return {
    ...rest,
    ...(parent === undefined || isGone(parent) ? {} : { parent }),
    ...(deletedWith === undefined || isGone(deletedWith) ? {} : { deletedWith }),
    ...(dependencies === undefined ? {} : { dependencies: there(dependencies) }),
    ...(propertyDependencies === undefined ? {} : { propertyDependencies: Object.fromEntries(Object.entries(propertyDependencies).map(([name, urns]) => [name, there(urns)])) }),
  };
}
