import { z } from 'zod';

import { outcomes } from './records.ts';
import type { Lines } from './store.ts';

const { number, string } = z;
const id = z.object({ run: string(), producer: string(), seq: number() });

/** What each kind of line holds at least. */
const lines: Record<keyof Lines, z.ZodType> = {
  attempts: z.object({
    producer: string(), seq: number(), attempt: number(), key: string(), intendedMs: number(), issuedMs: number(), sentMs: number().optional(), endMs: number(), status: number().optional(),
    outcome: z.enum(outcomes), class: string(), partition: number().optional(), offset: number().optional(), region: string().optional(), proxyAttempts: number().optional(),
  }),
  deliveries: z.object({ consumer: number(), instance: string(), askedMs: number().optional(), tMs: number(), partition: number(), offset: number(), id: id.optional(), altered: z.literal(true).optional() }),
  commits: z.object({ consumer: number(), instance: string(), tMs: number(), partition: number(), offset: number(), unanswered: z.literal(true).optional() }),
  log: z.object({ partition: number(), offset: number(), key: string().optional(), id: id.optional(), altered: z.literal(true).optional() }),
};

/** What is wrong with a line, in a phrase; undefined where it is one. */
export function wrongLine(kind: keyof Lines, value: unknown): string | undefined {
  return wrongBy(lines[kind], value);
}

/** What is wrong with a value by its schema, each with its path; undefined where nothing is. */
export function wrongBy(schema: z.ZodType, value: unknown): string | undefined {
  return schema.safeParse(value).error?.issues.map(({ path, message }) => `${path.length === 0 ? 'all of it' : path.join('.')}: ${message}`).join('; ');
}
