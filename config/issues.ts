import { z } from 'zod';

import { nearest } from './near.ts';
import type { Finding } from './problems.ts';
import { discriminatorOf, innermost, keysOf, meantAlternative, type Schema, schemaAt, takenBy, unionAt } from './schema-walk.ts';
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
  const known = takenBy(schemaAt(schema, value, at));
  return { path, found: 'a key that does not exist', allowed: known.join(', '), suggestion: nearest(key, known) };
}

function onlyWith(union: z.core.$ZodUnionDef, options: readonly Schema[]): string {
  const discriminator = discriminatorOf(union);
  const others = union.options.filter((option) => !options.includes(option as Schema));
  if (discriminator === undefined) return `nothing beside ${others.flatMap((option) => keysOf(innermost(option as Schema, undefined))).join(', ')}`;
  const values = options.flatMap((option) => [...(schemaAt(option, undefined, [discriminator])?._zod.values ?? [])]);
  return `only with ${discriminator}: ${values.join(' or ')}`;
}

function findingsOfUnion(issue: z.core.$ZodIssueInvalidUnion, whole: Whole): Finding[] {
  if ('options' in issue && Array.isArray(issue.options)) {
    const values = issue.options.filter((option) => option !== undefined).map(String);
    const found = valueAt(whole.value, issue.path);
    return [{ path: issue.path, allowed: values.join(', '), suggestion: typeof found === 'string' ? nearest(found, values) : undefined }];
  }
  const union = unionAt(whole.schema, whole.value, issue.path);
  const meant = union && meantAlternative({ union, value: valueAt(whole.value, issue.path), alternatives: issue.errors });
  const issues = meant === undefined ? undefined : issue.errors[meant];
  if (issues !== undefined) return issues.flatMap((inner) => findingsOfIssue({ ...inner, path: [...issue.path, ...inner.path] }, whole));
  const allowed = issue.message === 'Invalid input' ? (union?.options ?? []).map((option) => formOf(innermost(option as Schema, undefined))).join(', or ') : issue.message;
  return [{ path: issue.path, allowed }];
}

function allowedAt(issue: z.core.$ZodIssueInvalidType | z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, { schema, value }: Whole): string {
  const at = schemaAt(schema, value, issue.path);
  const known = issue.code === 'invalid_type' ? issue.expected !== 'never' : at?._zod.def.type === 'number';
  if (!known) return issue.message;
  if (at === undefined) return `keys with values: ${keysOfUnion(unionAt(schema, value, issue.path)).join(', ')}`;
  const isSecret = issue.path.at(-1) === 'secret' && typeof valueAt(value, issue.path) === 'string';
  return isSecret ? `the name of a Secret in the cluster, never the secret itself, as ${formOf(at)}` : formOf(at);
}

/** The keys of all alternatives. */
function keysOfUnion(union: z.core.$ZodUnionDef | undefined): string[] {
  return [...new Set(union?.options.flatMap((option) => takenBy(innermost(option as Schema, undefined))))];
}

/** What a schema takes, in a few words. */
export function formOf(schema: Schema | undefined): string {
  const def = schema?._zod.def;
  switch (def?.type) {
    case 'object':
      return `keys with values: ${takenBy(schema).join(', ')}`;
    case 'record':
      return 'keys with values';
    case 'array': {
      const keys = keysOf(innermost(def.element as Schema, undefined));
      return keys.length === 0 ? 'a list' : `a list of elements with the keys ${keys.join(', ')}`;
    }
    case 'number':
      return rangeOf(schema as z.ZodNumber);
    case 'boolean':
      return 'true or false';
    case 'literal':
      return def.values.join(', ');
    case 'enum':
      return Object.values(def.entries).join(', ');
    case 'string':
      return textOf(schema as Schema);
    default:
      return 'anything';
  }
}

function rangeOf({ minValue, maxValue }: z.ZodNumber): string {
  return minValue === null || maxValue === null || !Number.isFinite(minValue) || !Number.isFinite(maxValue) ? 'a number' : `a whole number from ${minValue} to ${maxValue}`;
}

/** What a schema of text says of a text that cannot be right. */
function textOf(schema: Schema): string {
  const wanted = z.safeParse(schema, '').error?.issues[0]?.message ?? 'text';
  return wanted.startsWith('text') ? wanted : `text: ${wanted}`;
}
