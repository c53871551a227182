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
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const meant = meantAlternative(issue.errors);
    if (meant !== undefined) return meant.flatMap((inner) => problemsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, value));
    return [{ path: pathText(issue.path), found: foundText(valueAt(value, issue.path)), allowed: issue.errors.flatMap(([first]) => (first ? [allowedBy(first)] : [])).join('; or ') }];
  }
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

/** The problems of the one alternative that was probably meant: that which fits best at its top. Undefined if none has even the right type. */
function meantAlternative(alternatives: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  const atTop = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : issue.path.length <= 1 ? 1 : 0), 0);
  return alternatives
    .filter((issues) => !issues.some(({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')))
    .sort((a, b) => atTop(a) - atTop(b))[0];
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
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** The keys that the schema has at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(configurationSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const alternatives = (schema: JsonSchema): JsonSchema[] => [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const at = path.reduce<JsonSchema[]>(
    (schemas, part) => schemas.flatMap((schema) => (typeof part === 'number' ? (schema.items ?? []) : (schema.properties?.[String(part)] ?? []))).flatMap(alternatives),
    [root],
  );
  return [...new Set(at.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}
