import { z } from 'zod';

import { formOf } from '../issues.ts';
import { discriminatorOf, innermost, keysOf, type Schema } from '../schema-walk.ts';

/** One key of the configuration, as the reference has it. */
export interface Field {
  /** `regions[].gateway.name`. */
  readonly key: string;
  readonly allowed: string;
  /** As YAML; undefined if there is none. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly meaning: string;
}

/** Every key in a schema, those inside after those around them. */
export function fieldsOf(key: string, schema: Schema): Field[] {
  const inner = innermost(schema, undefined);
  const union = alternatives(schema);
  const own: Field = { key, allowed: formOf(inner), default: defaultOf(schema), required: z.safeParse(schema, undefined).success === false, meaning: meaningOf(schema) };
  if (union !== undefined) return union.options.every((option) => keysOf(innermost(option as Schema, undefined)).length > 0) ? ofUnion(own, union) : [{ ...own, allowed: eitherOf(union) }];
  const { def } = (inner as Schema)._zod;
  if (def.type === 'object') return [...container(own), ...ofShape(key, inner as Schema)];
  if (def.type === 'array' && keysOf(innermost(def.element as Schema, undefined)).length > 0) return [{ ...own, allowed: 'a list' }, ...ofShape(`${key}[]`, innermost(def.element as Schema, undefined) as Schema)];
  if (def.type === 'array') return [{ ...own, allowed: `a list: ${formOf(innermost(def.element as Schema, undefined))}` }];
  if (def.type !== 'record') return [own];
  const values = innermost(def.valueType as Schema, undefined) as Schema | undefined;
  const ofValues = alternatives(def.valueType as Schema);
  if (keysOf(values).length > 0) return [{ ...own, allowed: 'a map' }, ...ofShape(`${key}.<key>`, values as Schema)];
  return [{ ...own, allowed: `a map to ${ofValues ? eitherOf(ofValues) : formOf(values)}` }];
}

/** A key whose keys all have defaults says nothing that they do not. */
function container(own: Field): Field[] {
  return own.default === undefined && !own.required ? [{ ...own, allowed: 'keys below' }] : [];
}

function ofShape(key: string, schema: Schema): Field[] {
  const { def } = schema._zod;
  if (def.type !== 'object') return [];
  return Object.entries(def.shape)
    .filter(([, field]) => (innermost(field as Schema, undefined) as Schema | undefined)?._zod.def.type !== 'never')
    .flatMap(([name, field]) => fieldsOf(`${key}.${name}`, field as Schema));
}

/** Alternatives that are told apart by a key, or by what keys there are. */
function ofUnion(own: Field, union: z.core.$ZodUnionDef): Field[] {
  const by = discriminatorOf(union);
  const options = union.options.map((option) => ({ schema: innermost(option as Schema, undefined) as Schema, when: by === undefined ? undefined : literalsOf(option as Schema, by).join(', ') }));
  const chooser = by === undefined ? [] : [chooserOf(`${own.key}.${by}`, by, options.map(({ schema }) => schema))];
  const fields = options.flatMap(({ schema, when }) => ofShape(own.key, schema).filter(({ key }) => key !== `${own.key}.${by ?? ''}`).map((field) => ({ field, when })));
  const merged = Map.groupBy(fields, ({ field }) => JSON.stringify(field));
  const isEverywhere = (count: number) => by === undefined || count === options.length;
  return [
    ...(own.required || own.default !== undefined ? [] : [{ ...own, allowed: 'keys below' }]),
    ...chooser,
    ...[...merged.values()].flatMap((same) => same.slice(0, 1).map(({ field }) => (isEverywhere(same.length) ? field : { ...field, meaning: `With \`${by ?? ''}\` ${same.map(({ when }) => when).join(', ')}: ${field.meaning}` }))),
  ];
}

function fieldOf(option: Schema, name: string): Schema {
  const { def } = option._zod;
  if (def.type !== 'object') throw new Error('an alternative that has no keys has no key that tells it apart');
  return def.shape[name] as Schema;
}

function literalsOf(option: Schema, by: string): string[] {
  return [...((innermost(fieldOf(option, by), undefined) as Schema)._zod.values ?? [])].map(String);
}

function chooserOf(key: string, by: string, options: readonly Schema[]): Field {
  const fields = options.map((option) => fieldOf(option, by));
  return {
    key,
    allowed: options.flatMap((option) => literalsOf(option, by)).join(', '),
    default: fields.map(defaultOf).find((value) => value !== undefined),
    required: fields.every((field) => defaultOf(field) === undefined),
    meaning: options.map((option, index) => `${literalsOf(option, by).join(', ')}: ${meaningOf(fields[index] as Schema)}`).join(' '),
  };
}

/** The union that a schema is, under its defaults. */
function alternatives(schema: Schema): z.core.$ZodUnionDef | undefined {
  const { def } = schema._zod;
  if (def.type === 'union') return def;
  if (def.type === 'pipe') return alternatives(def.in as Schema);
  return def.type === 'optional' || def.type === 'default' || def.type === 'prefault' ? alternatives(def.innerType as Schema) : undefined;
}

function eitherOf(union: z.core.$ZodUnionDef): string {
  return [...new Set(union.options.map((option) => formOf(innermost(option as Schema, undefined))))].join(', or ');
}

function defaultOf(schema: Schema): string | undefined {
  const { def } = schema._zod;
  if (def.type !== 'default' && def.type !== 'prefault') return undefined;
  return typeof def.defaultValue === 'string' ? def.defaultValue : JSON.stringify(def.defaultValue);
}

function meaningOf(schema: Schema): string {
  const { description } = z.globalRegistry.get(schema) ?? {};
  return description ?? '';
}
