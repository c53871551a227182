import { z } from 'zod';

import { wrongBy } from './line-schema.ts';
import { parts, plan } from './run-schema.ts';

const { number, string, boolean } = z;
const count = number();
const share = number().optional();

/** What those who set reports side by side read of one; docs/report.schema.json has all of it. */
const report = z.object({
  startedAt: string(), environment: string(), parts, plan,
  produce: z.object({
    sent: count, ok: count, failed: count, unknown: count, blackoutMs: number().optional(),
    latencyMs: z.object({ p50: number(), p99: number(), max: number() }).optional(),
  }),
  consume: z.object({ delivered: count, redelivered: count, skipped: count, blackoutMs: number().optional() }).optional(),
  log: z.object({ ackedLost: count, offsetMismatch: count, phantom: count, duplicates: z.object({ clientRetry: count, proxyRetry: count.optional(), unexplained: count }) }).optional(),
  regions: z.array(z.object({ name: string(), before: share, during: share, after: share })),
  objectives: z.array(z.object({ name: string(), limit: string(), measured: z.union([number(), string(), boolean()]).optional(), met: boolean(), why: string().optional() })),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'aborted']), reason: string().optional(),
});

/** What is wrong with a report, each with its path; undefined where nothing is. */
export function wrongReport(value: unknown): string | undefined {
  return wrongBy(report, value);
}
