import { readFileSync, statSync } from 'node:fs';

import { isAlias, isNode, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';

import { UserError } from '../errors.ts';
import type { Surroundings } from './checks.ts';
import { completed, findingsOfKeys, type Keyed, problemsOf, structured } from './configuration.ts';
import { nearest } from './near.ts';
import { ConfigurationError } from './problems.ts';
import type { Configuration } from './schema.ts';
import { asRecord } from './text.ts';

export interface StackFileOptions extends Surroundings {
  /** Name of the Pulumi project, which the keys begin with. */
  readonly project: string;
  /** What the project's `Pulumi.yaml` has under `config:`. */
  readonly projectConfig?: unknown;
  /** Values that replace those of the file; keys without the project's name. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The file that a person has to change, where this one is a copy of it. */
  readonly source?: string;
}

/**
 * The configuration in any `Pulumi.<stack>.yaml`, without Pulumi. A setting that it leaves out is the project's.
 * What Pulumi ESC adds to them (`environment:`) only Pulumi can open: the program has that, and nobody here.
 * @throws ConfigurationError with every problem at once; UserError if the file is no YAML
 */
export function loadConfiguration(file: string, { project, projectConfig, settings, source = file, ...surroundings }: StackFileOptions): Configuration {
  const { config, environment } = readStackFile(file);
  const shared = findingsOfKeys(keysOf(declared(projectConfig)), project);
  const own = findingsOfKeys(keysOf(config), project);
  const raw = { ...shared.raw, ...own.raw, ...settings };
  const problems = problemsOf(raw, surroundings, [...own.findings, ...shared.findings]);
  if (problems.length > 0) {
    const places = Object.keys(shared.raw).length === 0 ? source : `${source} or in Pulumi.yaml`;
    throw new ConfigurationError(problems, hasEnvironments(environment) ? `${places} (what its environment: brings from Pulumi ESC is not seen here)` : places);
  }
  return completed(raw, surroundings.directory);
}

/** More than anybody writes, and little enough to be read at once. */
const largest = 1_048_576;

/**
 * A file of settings as data: maps, lists, text, numbers, true and false. `<<` merges a map, as it does for Pulumi.
 * @throws UserError that says where it is anything else
 */
export function readStackFile(file: string): Record<string, unknown> {
  const wrong = (text: string): UserError => new UserError(`${file} ${text}`, { exitCode: 2 });
  let text: string;
  try {
    if (statSync(file).size > largest) throw wrong(`is larger than ${largest} bytes: settings are never so large.`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw error instanceof UserError ? error : wrong(`cannot be read: ${(error as Error).message}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: true });
  const faults = [...faultsOf(document, lines), ...tagsOf(document, lines)];
  if (faults.length > 0) throw wrong([`${noData}:`, ...faults.slice(0, 5).map((fault) => `  ${fault}`), ...(faults.length > 5 ? [`  and ${faults.length - 5} more`] : [])].join('\n'));
  const value = plain(document, (text) => wrong(`${noData}: ${text}`));
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong('has no keys: settings stand under the key config:.');
  const misspelt = Object.keys(value).find((key) => key !== 'config' && nearest(key, ['config']) !== undefined);
  if (misspelt !== undefined) throw wrong(`has the key ${misspelt} (did you mean "config"?): settings stand under the key config:.`);
  return { ...value };
}

const noData = 'is not YAML that can be taken as data';

/** The values of a document, each of which stands in one place: an alias becomes a copy, and one that holds itself is no data. */
function plain(document: Document.Parsed, wrong: (text: string) => UserError): unknown {
  try {
    return JSON.parse(JSON.stringify(document.toJS() ?? null));
  } catch (error) {
    const circular = error instanceof TypeError && error.message.includes('circular');
    throw wrong(circular ? 'an alias stands inside of what it stands for' : (error as Error).message);
  }
}

function faultsOf(document: Document.Parsed, lines: LineCounter): string[] {
  return document.errors.map(({ code, message, pos: [offset] }) => `${place(offset, lines)}: ${code === 'MULTIPLE_DOCS' ? 'a second document begins' : message}`);
}

/** A tag asks for something that is no data; what it would make is nowhere taken. */
function tagsOf(document: Document.Parsed, lines: LineCounter): string[] {
  const tags: string[] = [];
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node) || !isNode(node) || node.tag === undefined || node.range == null) return;
      if (isScalar(node) && node.tag === 'tag:yaml.org,2002:str') return;
      tags.push(`${place(node.range[0], lines)}: the tag ${node.tag} is not allowed`);
    },
  });
  return tags;
}

function place(offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

function keysOf(config: unknown): Keyed[] {
  return Object.entries(asRecord(config)).map(([key, value]) => ({ key, value: structured(value) }));
}

/** The values that a project gives to all of its stacks. There a map declares a setting, and its value is one of two keys in it, as Pulumi allows one of them only. */
function declared(config: unknown): Record<string, unknown> {
  const values = Object.entries(asRecord(config)).map(([key, said]): [string, unknown] => {
    const isMap = typeof said === 'object' && said !== null && !Array.isArray(said);
    return [key, isMap ? asRecord(said)['value'] ?? asRecord(said)['default'] : said];
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined && value !== null));
}

/** Whether a stack's file has settings from Pulumi ESC, or may have. */
export function hasEnvironments(environment: unknown): boolean {
  return environment !== undefined && environment !== null;
}
