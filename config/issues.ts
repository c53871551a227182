import { z } from 'zod';

import { nearest } from './near.ts';
import type { Finding } from './problems.ts';
import { keysOf, meantAlternative, type Schema, schemaAt, unionAt } from './schema-walk.ts';
import { type Path, valueAt } from './text.ts';

/** What a schema says of a value, in terms of what was found and what is allowed. */
export function findingsOf(schema: Schema, value: unknown): Finding[] {
  const result = z.safeParse(schema, value);
  return result.success ? [] : result.error.issues.flatMap((issue) => findingsOfIssue(issue, { schema, value }));
}

interface Whole {
  readonly schema: Schema;
  readonly value: unknown;
}

function findingsOfIssue(issue: z.core.$ZodIssue, whole: Whole): Finding[] {
  const found = valueAt(whole.value, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, issue.path, whole));
    case 'invalid_union':
      return findingsOfUnion(issue, whole);
    case 'invalid_key':
      return [{ path: issue.path, found: 'a key of that name', allowed: issue.issues.map(({ message }) => message).join('; ') }];
    case 'invalid_value':
      return [{ path: issue.path, allowed: issue.values.join(', '), suggestion: typeof found === 'string' ? nearest(found, issue.values.map(String)) : undefined }];
    case 'invalid_type':
    case 'too_small':
    case 'too_big':
      return [{ path: issue.path, allowed: allowedAt(issue, whole) }];
    default:
      return [{ path: issue.path, allowed: issue.message }];
  }
}

/** A key that is wrong here may be right beside another choice. */
function unknownKey(key: string, at: Path, { schema, value }: Whole): Finding {
  const path = [...at, key];
  const union = unionAt(schema, value, at);
  const elsewhere = union?.options.filter((option) => keysOf(schemaAt(option as Schema, undefined, [])).includes(key)) ?? [];
  if (union !== undefined && elsewhere.length > 0) return { path, allowed: onlyWith(union, elsewhere as Schema[]) };
  const known = keysOf(schemaAt(schema, value, at)).filter((name) => !isNever(schemaAt(schema, value, [...at, name])));
  return { path, found: 'a key that does not exist', allowed: known.join(', '), suggestion: nearest(key, known) };
}

function isNever(schema: Schema | undefined): boolean {
  return schema?._zod.def.type === 'never';
}

function onlyWith(union: z.core.$ZodUnionDef, options: readonly Schema[]): string {
  const { discriminator } = union as Partial<z.core.$ZodDiscriminatedUnionDef>;
  if (discriminator === undefined) return 'nothing beside what stands there already: either the one or the other';
  const values = options.flatMap((option) => [...(schemaAt(option, undefined, [discriminator])?._zod.values ?? [])]);
  return `only with ${discriminator}: ${values.join(' or ')}`;
}

function findingsOfUnion(issue: z.core.$ZodIssueInvalidUnion, whole: Whole): Finding[] {
  if ('options' in issue && Array.isArray(issue.options)) {
    const values = issue.options.filter((option) => option !== undefined).map(String);
    const found = valueAt(whole.value, issue.path);
    return [{ path: issue.path, allowed: values.join(', '), suggestion: typeof found === 'string' ? nearest(found, values) : undefined }];
  }
  const meant = meantAlternative(issue.errors);
  const issues = meant === undefined ? undefined : issue.errors[meant];
  if (issues !== undefined) return issues.flatMap((inner) => findingsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, whole));
  const own = issue.message !== 'Invalid input' ? [issue.message] : undefined;
  const allowed = own ?? issue.errors.flatMap(([first]) => (first ? [alternativeText(first)] : []));
  return [{ path: issue.path, allowed: allowed.join(', or ') }];
}

function alternativeText(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_value' ? issue.values.join(', ') : issue.code === 'invalid_type' ? (kinds[issue.expected] ?? issue.message) : issue.message;
}

const kinds: Partial<Record<string, string>> = {
  object: 'keys with values',
  record: 'keys with values',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function allowedAt(issue: z.core.$ZodIssueInvalidType | z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, { schema, value }: Whole): string {
  const at = schemaAt(schema, value, issue.path);
  const range = at && rangeOf(at);
  if (range !== undefined) return range;
  if (issue.code !== 'invalid_type' || issue.expected === 'never') return issue.message;
  const kind = kinds[issue.expected] ?? issue.expected;
  const keys = keysOf(at);
  if (issue.expected === 'object' && keys.length > 0) return `${kind}: ${keys.join(', ')}`;
  return issue.expected === 'string' && at !== undefined ? `${kind}: ${formOf(at)}` : kind;
}

function rangeOf(schema: Schema): string | undefined {
  if (schema._zod.def.type !== 'number') return undefined;
  const { minValue, maxValue } = schema as z.ZodNumber;
  return minValue === null || maxValue === null ? 'a number' : `a whole number from ${minValue} to ${maxValue}`;
}

/** What a schema of text says of a text that cannot be right. */
function formOf(schema: Schema): string {
  return z.safeParse(schema, '').error?.issues[0]?.message ?? 'any';
}
