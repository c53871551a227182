import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { list } from 'tar';
import { parseAllDocuments } from 'yaml';

import { plainError } from './cluster-reader.ts';

/** A chart as Helm is told of it. */
export interface ChartSource {
  readonly chart: string;
  readonly version?: string;
  readonly repositoryOpts?: { readonly repo: string };
}

/**
 * @param chart `oci://<registry>/<path>/<chart>`, `https://<repository>/<chart>`, `https://….tgz`, or the path of a .tgz file or a folder
 * @param version of the chart; a file has its own
 */
export function chartSource(chart: string, version: string): ChartSource {
  if (chart.startsWith('oci://')) return { chart, version };
  if (!chart.startsWith('https://') || chart.endsWith('.tgz')) return { chart };
  const slash = chart.replace(/\/$/, '').lastIndexOf('/');
  return { chart: chart.slice(slash + 1).replace(/\/$/, ''), version, repositoryOpts: { repo: chart.slice(0, slash) } };
}

export function isLocal(chart: string): boolean {
  return !/^(oci|https):\/\//.test(chart);
}

/** A definition of resources, as its file has it. */
export interface Definition {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: object;
}

/**
 * The definitions in the folder `crds` of a chart on this machine, which Helm installs once and never again, whatever the chart's version.
 * @throws pulumi.RunError if there is no such chart
 */
export function definitionsOf(chart: string): Definition[] {
  if (!existsSync(chart.endsWith('.tgz') ? chart : join(chart, 'Chart.yaml'))) throw plainError(`${chart} is no chart: there is no such file in ${process.cwd()}, nor a folder with a Chart.yaml`);
  const manifests = chart.endsWith('.tgz') ? inArchive(chart) : inFolder(join(chart, 'crds'));
  return manifests.flatMap((text) =>
    parseAllDocuments(text)
      .map((document) => document.toJS() as ({ kind?: string } & Definition) | null)
      .flatMap((object) => (object?.kind === 'CustomResourceDefinition' ? [{ metadata: object.metadata, spec: withoutEmptyProperties(object.spec) }] : [])),
  );
}

/**
 * API servers drop `properties: {}`, which says nothing, from a schema, and the engine would find it missing again at every run once it was
 * added by an update: `status.clusterSecurity` of Strimzi 1.2.0 has one.
 */
function withoutEmptyProperties<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutEmptyProperties) as T;
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key, child]) => !(key === 'properties' && isEmpty(child)));
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutEmptyProperties(child as unknown)])) as T;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function inFolder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name));
  return files.map(({ name }) => join(folder, name)).sort().map((file) => readFileSync(file, 'utf8'));
}

function inArchive(file: string): string[] {
  const found = new Map<string, Buffer[]>();
  list({
    file,
    sync: true,
    strict: true,
    filter: (path) => /^[^/]+\/crds\/[^/]+\.ya?ml$/.test(path),
    onReadEntry: (entry) => {
      const chunks: Buffer[] = [];
      found.set(entry.path, chunks);
      entry.on('data', (chunk: Buffer) => chunks.push(chunk));
    },
  });
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, chunks]) => Buffer.concat(chunks).toString('utf8'));
}
