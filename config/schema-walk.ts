import { z } from 'zod';

import { nearest } from './near.ts';
import { asRecord, type Path } from './text.ts';

/** Any schema, with what is inside it. */
export type Schema = z.core.$ZodTypes;

/** The issues of one alternative of a union. */
type Issues = readonly z.core.$ZodIssue[];

/** A union, what was written in its place, and what each alternative says of that. */
interface Choice {
  readonly union: z.core.$ZodUnionDef;
  readonly value: unknown;
  readonly alternatives: readonly Issues[];
}

/** The alternative that was probably meant: of those that may have been, that which fits best at its top. Undefined if there is none. */
export function meantAlternative({ union, value, alternatives }: Choice): number | undefined {
  const discriminator = discriminatorOf(union);
  const wrongType = (issues: Issues) =>
    issues.some(({ code, path }) => (path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')) || (discriminator !== undefined && path.length === 1 && path[0] === discriminator));
  const wrongKeys = (issues: Issues) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys.length : issue.path.length === 1 ? 1 : 0), 0);
  const mayBe = union.options.map((option) => discriminator !== undefined || isHinted(option as Schema, union, Object.keys(asRecord(value))));
  const ranked = alternatives.map((issues, index) => ({ index, rank: wrongType(issues) || mayBe[index] !== true ? Infinity : wrongKeys(issues) })).sort((a, b) => a.rank - b.rank);
  const [best] = ranked;
  return best === undefined || best.rank === Infinity ? undefined : best.index;
}

/** Whether keys that were written, or nearly so, speak for an alternative that has to be asked for: by any of its keys beside a plain value, by what it has and others must not beside those. */
function isHinted(option: Schema, union: z.core.$ZodUnionDef, written: readonly string[]): boolean {
  const own = takenBy(innermost(option, undefined));
  const others = union.options.filter((other) => other !== option).map((other) => innermost(other as Schema, undefined));
  if (own.length > 0 && others.some((other) => keysOf(other).length === 0)) return written.some((key) => nearest(key, own) !== undefined);
  const asked = own.filter((key) => others.some((other) => keysOf(other).includes(key) && !takenBy(other).includes(key)));
  // A person who leaves the key itself out writes what is inside of it.
  return asked.length === 0 || written.some((key) => nearest(key, asked) !== undefined || asked.some((one) => keysOf(schemaAt(option, undefined, [one])).includes(key)));
}

/** The schema that says what may stand where `value` stands: without defaults around it, and of a union the alternative that is meant. */
export function innermost(schema: Schema, value: unknown): Schema | undefined {
  const { def } = schema._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return innermost(def.innerType as Schema, value);
    case 'pipe':
      return innermost(def.in as Schema, value);
    case 'union':
      return meantOption(def, value);
    default:
      return schema;
  }
}

/** The schema at a path, as far as the values on the way let it be known. */
export function schemaAt(schema: Schema, value: unknown, path: Path): Schema | undefined {
  const here = innermost(schema, value);
  const [part, ...rest] = path;
  if (part === undefined || here === undefined) return here;
  const inner = childOf(here, part);
  return inner && schemaAt(inner, (value as Record<PropertyKey, unknown> | null | undefined)?.[part], rest);
}

/** The keys of an object's schema; none of any other's. */
export function keysOf(schema: Schema | undefined): string[] {
  return schema?._zod.def.type === 'object' ? Object.keys(schema._zod.def.shape) : [];
}

/** The keys of an object's schema that may be there. */
export function takenBy(schema: Schema | undefined): string[] {
  return keysOf(schema).filter((key) => schemaAt(schema as Schema, undefined, [key])?._zod.def.type !== 'never');
}

/** The union, if there is one, that the schema at a path is an alternative of. */
export function unionAt(schema: Schema, value: unknown, path: Path): z.core.$ZodUnionDef | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return unionOf(schema);
  const here = innermost(schema, value);
  const inner = here && childOf(here, part);
  return inner && unionAt(inner, (value as Record<PropertyKey, unknown> | null | undefined)?.[part], rest);
}

function childOf(schema: Schema, part: PropertyKey): Schema | undefined {
  const { def } = schema._zod;
  if (def.type === 'object') return Object.hasOwn(def.shape, part) ? (def.shape[String(part)] as Schema) : undefined;
  if (def.type === 'array') return def.element as Schema;
  return def.type === 'record' ? (def.valueType as Schema) : undefined;
}

function unionOf(schema: Schema): z.core.$ZodUnionDef | undefined {
  const { def } = schema._zod;
  if (def.type === 'union') return def;
  if (def.type === 'pipe') return unionOf(def.in as Schema);
  return def.type === 'optional' || def.type === 'default' || def.type === 'prefault' ? unionOf(def.innerType as Schema) : undefined;
}

/** The key that tells the alternatives of a union apart, if one does. */
export function discriminatorOf(def: z.core.$ZodUnionDef): string | undefined {
  return (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator;
}

function meantOption(def: z.core.$ZodUnionDef, value: unknown): Schema | undefined {
  const results = def.options.map((option) => z.safeParse(option, value));
  const right = results.findIndex(({ success }) => success);
  const index = right >= 0 ? right : meantAlternative({ union: def, value, alternatives: results.map(({ error }) => error?.issues ?? []) });
  const option = index === undefined ? undefined : def.options[index];
  return option && innermost(option as Schema, value);
}
