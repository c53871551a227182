import { z } from 'zod';

import { UserError } from '../errors.ts';
import { nearest } from './near.ts';
import { configurationSchema } from './schema.ts';

/** One thing wrong in the configuration. */
export interface Problem {
  /** Where, as the person wrote it: `regions[1].context`. */
  readonly path: string;
  /** What stands there, as JSON; `nothing` if it is missing. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
  /** The name that was probably meant. */
  readonly suggestion?: string | undefined;
}

/** Every problem of a configuration at once. */
export class ConfigurationError extends UserError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    super([`The configuration has ${count}:`, ...problems.map((problem) => `  ${describe(problem)}`)].join('\n'), {
      exitCode: 2,
      remedy: "Change the values in the stack's Pulumi.<stack>.yaml, under the key kafka-bridge-failover:<first part of the path>.",
    });
    this.problems = problems;
  }
}

/** Says in the person's terms what zod found wrong with `value`. */
export function problemsOf(error: z.ZodError, value: unknown): Problem[] {
  return error.issues.flatMap((issue) => problemsOfIssue(issue, value));
}

/** A path as the person wrote it. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** What stands at a path, short enough for one line. */
export function foundText(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function describe({ path, found, allowed, suggestion }: Problem): string {
  const meant = suggestion === undefined ? '' : ` (did you mean ${JSON.stringify(suggestion)}?)`;
  return `${path}: found ${found}${meant}; allowed: ${allowed}`;
}

function problemsOfIssue(issue: z.core.$ZodIssue, value: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      found: 'a key that does not exist',
      allowed: known.join(', '),
      suggestion: nearest(key, known),
    }));
  }
  const found = valueAt(value, issue.path);
  return [
    {
      path: pathText(issue.path),
      found: foundText(found),
      allowed: allowedBy(issue),
      suggestion: issue.code === 'invalid_value' && typeof found === 'string' ? nearest(found, issue.values.map(String)) : undefined,
    },
  ];
}

const article: Record<string, string> = {
  object: 'keys with values',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function allowedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return article[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.join(', ');
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int' ? `${issue.minimum} or more` : issue.message;
    case 'too_big':
      return issue.origin === 'number' || issue.origin === 'int' ? `${issue.maximum} or less` : issue.message;
    default:
      return issue.message;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[part] : undefined), value);
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
}

/** The keys that the schema has at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(configurationSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const at = path.reduce<JsonSchema | undefined>((schema, part) => (typeof part === 'number' ? schema?.items : schema?.properties?.[String(part)]), root);
  return Object.keys(at?.properties ?? {});
}
