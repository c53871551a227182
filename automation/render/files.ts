import { createHash } from 'node:crypto';

import { stringify } from 'yaml';

import type { RenderedObject } from './objects.ts';
import { type Placeholder, placeholdersIn } from './placeholders.ts';

/** One file of the rendered folder. */
export interface RenderedFile {
  /** From the folder: `east/kafka-bridge/kafkabridge.kafka-bridge.yaml`. */
  readonly path: string;
  readonly text: string;
  readonly placeholders: readonly Placeholder[];
}

/**
 * Writes each object as YAML, sorted by path. Where two APIs have an object of one kind and name in one place, the kind carries its API group, as kubectl writes
 * it: `gateway.install.tetrate.io.tier1.yaml`.
 * @throws if two objects would be one file: they are one object, which two parts of the program write
 */
export function filesOf(objects: readonly RenderedObject[]): RenderedFile[] {
  const alike = Map.groupBy(objects, (object) => pathOf(object));
  const paths = Map.groupBy(objects, (object) => ((alike.get(pathOf(object)) ?? []).some(({ group }) => group !== object.group) ? pathOf(object, object.group) : pathOf(object)));
  return [...paths].map(([path, [object, ...others]]) => {
    if (object === undefined || others.length > 0) throw new Error(`The program writes ${path} ${String(others.length + 1)} times: an object must have one owner.`);
    const content = ordered(object.content, first);
    return { path, text: yaml(content), placeholders: placeholdersIn(content).map((each) => ({ file: path, ...each })) };
  }).sort((a, b) => compare(a.path, b.path));
}

/** By code units: the same on every machine, whatever its language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function pathOf({ folder, kind, name }: RenderedObject, group?: string): string {
  const file = [kind.toLowerCase(), ...(group === undefined ? [] : [group]), name].join('.');
  return [folder === 'gcp' ? '_gcp' : `${segment(folder.context)}/${folder.namespace === undefined ? '_cluster' : segment(folder.namespace)}`, `${segment(file)}.yaml`].join('/');
}

/** Shorter than any file system's limit, with room for `.yaml`. */
const longest = 200;

/** A name as a part of a path. What only some file systems take is encoded as in a URL, and so is a first `_`, which folders of ours begin with. */
function segment(name: string): string {
  const encoded = encodeURIComponent(name).replace(/[!*'()]|^[._]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  if (encoded.length <= longest) return encoded;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${encoded.slice(0, longest - hash.length - 1)}-${hash}`;
}

/** What a person looks for first comes first; all else by the alphabet, so that no order of the program's shows. */
const first = ['apiVersion', 'kind', 'metadata', 'type', 'chart', 'version', 'name', 'namespace'];

function ordered(value: unknown, ahead: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => ordered(each, ahead));
  if (typeof value !== 'object' || value === null) return value;
  const rank = (key: string): number => (ahead.includes(key) ? ahead.indexOf(key) : ahead.length);
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b) || compare(a, b));
  return Object.fromEntries(entries.map(([key, each]) => [key, ordered(each, ['name', 'namespace'])]));
}

/** Readers of Kubernetes objects go by YAML 1.1, in which `on` and `012` are no text unless they are quoted. */
function yaml(content: unknown): string {
  return stringify(content, { compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false });
}
