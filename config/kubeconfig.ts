import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';

import { isScalar, parseDocument, visit } from 'yaml';

import { environmentProxy } from './environment-proxy.ts';
import { asRecord } from './text.ts';

/**
 * The contexts of a kubeconfig file that name a cluster and a user which the file has too, and by their names what tells their clusters
 * apart and the paths in them that are relative; or why the file is of no use.
 */
export type KubeconfigContexts =
  | { readonly contexts: readonly string[]; readonly clusters: ReadonlyMap<string, string>; readonly relative: ReadonlyMap<string, readonly KubeconfigPath[]> }
  | { readonly unreadable: string };

/** A path in a kubeconfig, and the key that it stands under: `exec.command`. */
export interface KubeconfigPath {
  readonly key: string;
  readonly path: string;
}

/** A kubeconfig: its file, or its text. */
export type KubeconfigSource = { readonly file: string } | { readonly text: string };

/** What a context names. */
export interface ContextParts {
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user: Readonly<Record<string, unknown>>;
}

/** Absolute path of a kubeconfig file; `~/` is the person's home, anything else relative lies in `directory`. */
export function kubeconfigPath(path: string, directory: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(directory, path);
}

/** Reads the contexts of the file at an absolute path. Never throws: what is wrong with the file is a finding among others. */
export function kubeconfigContexts(path: string): KubeconfigContexts {
  try {
    const complete = completeContexts({ file: path });
    const clusters = new Map([...complete].map(([name, parts]) => [name, identityOf(parts, dirname(path))]));
    const relative = new Map([...complete].map(([name, parts]) => [name, pathsIn(parts).filter((each) => !isAbsolute(each.path))]));
    return { contexts: [...complete.keys()].sort(), clusters, relative };
  } catch (error) {
    return { unreadable: reason(error) };
  }
}

/**
 * The contexts that have a cluster and a user, by their names.
 * @throws if the file is not there, or is no kubeconfig
 */
export function completeContexts(source: KubeconfigSource): Map<string, ContextParts> {
  const kubeconfig = parsed('file' in source ? readFileSync(source.file, 'utf8') : source.text);
  if (typeof kubeconfig !== 'object' || kubeconfig === null || Array.isArray(kubeconfig)) throw new Error('it has no clusters, users and contexts');
  const { clusters, users, contexts } = asRecord(kubeconfig);
  const [clustersByName, usersByName] = [named(clusters, 'cluster'), named(users, 'user')];
  return new Map([...named(contexts, 'context')].flatMap(([name, context]): [string, ContextParts][] => {
    const [cluster, user] = [clustersByName.get(String(context['cluster'])), usersByName.get(String(context['user']))];
    return typeof cluster?.['server'] === 'string' && user !== undefined ? [[name, { cluster, user }]] : [];
  }));
}

/** Nothing is said of a mistake but its kind and place: the parser's own words may quote the line, where a token may stand. */
function parsed(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`no YAML: ${error.code}${placeOf(error.linePos?.[0])}`);
  visit(document, {
    Alias: (_, alias) => { if (alias.resolve(document) === undefined) throw new Error('no YAML: an alias without its anchor'); },
    Pair: (_, { key }) => { if (!isScalar(key)) throw new Error('no YAML of a kubeconfig: a key that is no text, as braces that a template left make one'); },
  });
  return document.toJS() as unknown;
}

function placeOf(at: { readonly line: number; readonly col: number } | undefined): string {
  return at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
}

/**
 * What a context names, as a request goes there: paths begin where the file lies, and the environment's proxy is used where the file names none.
 * Undefined where the context has no cluster or no user.
 * @throws as completeContexts does
 */
export function reachedContext(source: KubeconfigSource, context: string): ContextParts | undefined {
  const parts = completeContexts(source).get(context);
  if (parts === undefined) return undefined;
  const { cluster, user } = 'file' in source ? absoluteParts(parts, dirname(source.file)) : parts;
  const proxy = cluster['proxy-url'] === undefined ? environmentProxy(String(cluster['server'])) : undefined;
  return { cluster: proxy === undefined ? cluster : { ...cluster, 'proxy-url': proxy }, user };
}

const clusterPaths = ['certificate-authority'];
const userPaths = ['client-certificate', 'client-key', 'tokenFile'];

/** A plugin is called by a path only where there is a slash in it. */
function pathsIn({ cluster, user }: ContextParts): KubeconfigPath[] {
  const command = asRecord(user['exec'])['command'];
  const all: [string, unknown][] = [...clusterPaths.map((key): [string, unknown] => [key, cluster[key]]), ...userPaths.map((key): [string, unknown] => [key, user[key]])];
  if (typeof command === 'string' && command.includes('/')) all.push(['exec.command', command]);
  return all.flatMap(([key, path]) => (typeof path === 'string' && path !== '' ? [{ key, path }] : []));
}

/** Paths in a kubeconfig begin where its file lies, and so does a plugin that is called by one. */
export function absoluteParts(parts: ContextParts, directory: string): ContextParts {
  const paths = new Map(pathsIn(parts).map(({ key, path }) => [key, resolve(directory, path)]));
  const placed = (entries: ContextParts['user'], keys: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, keys.includes(key) ? paths.get(key) ?? value : value]));
  const command = paths.get('exec.command');
  const exec = command === undefined ? {} : { exec: { ...asRecord(parts.user['exec']), command } };
  return { cluster: placed(parts.cluster, clusterPaths), user: { ...placed(parts.user, userPaths), ...exec } };
}

/**
 * What two contexts of one cluster have in common. One server with another authority is another cluster in another network, and plugins are
 * told by their arguments which of the clusters behind one server is meant, as Teleport's is.
 */
function identityOf({ cluster, user }: ContextParts, directory: string): string {
  const { 'certificate-authority': file, 'certificate-authority-data': data } = cluster;
  const authority = data ?? (typeof file === 'string' ? resolve(directory, file) : undefined);
  return JSON.stringify([serverOf(cluster), authority, cluster['tls-server-name'], cluster['proxy-url'], user['exec']]);
}

/** Where a cluster's API server is, in one of the ways in which its URL may be written. */
export function serverOf(cluster: ContextParts['cluster']): string {
  const server = String(cluster['server']).replace(/\/$/, '');
  return URL.canParse(server) ? new URL(server).href : server;
}

/** The entries of one of a kubeconfig's lists; of two with one name the first counts. */
function named(list: unknown, content: string): Map<string, Record<string, unknown>> {
  const entries = (Array.isArray(list) ? list : []).map(asRecord).filter(({ name }) => typeof name === 'string');
  return new Map(entries.toReversed().map((entry) => [String(entry['name']), asRecord(entry[content])]));
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'no such file';
  const [line] = String(error instanceof Error ? error.message : error).split('\n');
  return line?.replace(/:$/, '') ?? 'cannot be read';
}
