import { z } from 'zod';

import { configurationSchema, type ConfigurationAsWritten, type InstalledKafka } from './schema.ts';
import { innermost, type Schema } from './schema-walk.ts';

/** Everything of T may be missing; lists keep their places. */
export type Partly<T> = T extends readonly (infer E)[] ? (Partly<E> | undefined)[] : T extends object ? { [K in keyof T]?: Partly<T[K]> | undefined } : T;

/**
 * What is right in a configuration that need not be right everywhere, with defaults where nothing was written.
 * Checks between values work on it, so that one wrong value hides no problem elsewhere.
 */
export interface Readable extends Omit<Partly<ConfigurationAsWritten>, 'kafka'> {
  /** Undefined for a Kafka that exists. */
  readonly kafka?: Partly<InstalledKafka> | undefined;
  /** Undefined for a Kafka that the program makes. */
  readonly existingKafka: Partly<ConfigurationAsWritten['kafka']>['existing'];
}

export function readable(raw: unknown): Readable {
  const right = (read(configurationSchema, raw) ?? {}) as Partly<ConfigurationAsWritten>;
  const { kafka, ...rest } = right;
  const existingKafka = kafka?.existing;
  return { ...rest, kafka: existingKafka === undefined ? (kafka as Partly<InstalledKafka> | undefined) : undefined, existingKafka };
}

function read(schema: z.core.$ZodType, value: unknown): unknown {
  const whole = z.safeParse(schema, value);
  if (whole.success) return whole.data;
  const inner = innermost(schema as Schema, value);
  if (inner === undefined || typeof value !== 'object' || value === null) return undefined;
  const { def } = inner._zod;
  if (def.type === 'array') return Array.isArray(value) ? value.map((element) => read(def.element, element)) : undefined;
  if (Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (def.type === 'object') return Object.fromEntries(Object.entries(def.shape).map(([key, field]) => [key, read(field, entries.find(([name]) => name === key)?.[1])]));
  if (def.type === 'record') return Object.fromEntries(entries.map(([key, field]) => [key, read(def.valueType, field)]));
  return undefined;
}
