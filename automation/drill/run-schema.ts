import { z } from 'zod';

import { wrongBy } from './line-schema.ts';
import { choices } from './load-plan.ts';
import type { RunRecord } from './report.ts';

const { number, string, boolean } = z;
const finite = number();
const serving = z.enum(['serves', 'silent', 'any']);
const marks = { injectMs: finite.optional(), tookHoldMs: finite.optional(), healMs: finite.optional(), recoveredMs: finite.optional() };
const lines = z.object({ attempts: finite, log: finite, commits: finite, deliveries: finite });

const planStep = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('do'), fault: string(), region: string(), forSeconds: finite.optional() }),
  z.object({ kind: z.literal('wait'), seconds: finite }),
  z.object({ kind: z.literal('expect'), objective: string() }),
]);

const load = z.object({
  pattern: z.enum(choices.pattern), rampFrom: finite.optional(), payloadBytes: finite, keyDistribution: z.enum(choices.keyDistribution), format: z.enum(choices.format),
  requestsPerConnection: finite.optional(), retry: z.enum(choices.retry), workers: finite, workerImage: string().optional(),
});

/** Those of a report are the same. */
export const parts = z.record(string(), z.object({ kind: z.enum(['real', 'reference']), version: string() }));
export const plan = z.object({
  run: string(), fault: string(), region: string(), rate: finite.positive(), durationSeconds: finite, connections: finite, requestTimeoutMs: finite, topic: string(), partitions: finite, keys: finite,
  consumers: z.object({ count: finite, mode: z.enum(choices.mode) }), load, steps: z.array(planStep), abortAfterErrors: finite.optional(), seed: finite, objectives: z.array(string()).optional(),
});

/** What a run holds at least; what it holds besides is of no interest to who judges it. */
const run: z.ZodType<RunRecord> = z.object({
  schema: z.literal('kbf-run/2'), startedAt: string(), environment: string(),
  parts, regions: z.array(string()), plan,
  marks: z.object({ ...marks, loadMs: finite.optional(), loadEndMs: finite.optional() }),
  faults: z.array(z.object({
    ...marks, fault: string(), region: string().optional(), target: string(), injectMs: finite, losesInFlight: z.literal(true).optional(),
    expects: z.record(string(), z.object({ before: serving, during: serving, after: serving, share: finite.positive().max(1).optional() })),
  })),
  steps: z.array(z.object({ kind: z.enum(['do', 'expect']), text: string(), startMs: finite, endMs: finite.optional(), met: boolean().optional(), measured: z.union([finite, string()]).optional() })),
  configuration: z.record(string(), z.record(string(), z.union([string(), finite, boolean()]))).optional(),
  consumers: z.object({ recreated: finite, notRecreated: z.array(string()), broken: z.array(string()), notCommitted: z.record(string(), string()).optional() }).optional(), workerClocksMs: finite.optional(), committed: z.record(string(), finite).optional(), stored: lines.optional(),
  logRead: boolean(),
  ending: z.discriminatedUnion('kind', [z.object({ kind: z.literal('complete') }), z.object({ kind: z.literal('inconclusive'), reason: string() }), z.object({ kind: z.literal('aborted'), reason: string() })]),
  interrupted: z.literal(true).optional(),
});

/** What is wrong with what a run knows of itself, each with its path; undefined where nothing is. */
export function wrongRun(value: unknown): string | undefined {
  return wrongBy(run, value) ?? wrongCourse(value as RunRecord);
}

/** A run went as its plan says, as far as it came, and to its end where it says so: of a fault or a step that is missing nothing would be asked. */
function wrongCourse({ plan, ending, faults, steps, consumers, stored, committed }: RunRecord): string | undefined {
  const planned = plan.steps.flatMap((step) => (step.kind === 'wait' ? [] : [step.kind === 'do' ? `do ${step.fault} of ${step.region}` : `expect ${step.objective}`]));
  const courses = [
    { of: 'faults', went: faults.map(({ fault, region = plan.region }) => `do ${fault} of ${region}`), wanted: planned.filter((step) => step.startsWith('do ')) },
    { of: 'steps', went: steps.map(({ kind, text }) => `${kind} ${text}`), wanted: planned },
  ];
  const isComplete = ending.kind === 'complete';
  const missing = Object.entries({ consumers, stored, committed }).filter(([, value]) => isComplete && value === undefined);
  const wrong = [
    ...courses.filter(({ went, wanted }) => (isComplete && went.length < wanted.length) || went.some((step, i) => step !== wanted[i]))
      .map(({ of, went, wanted }) => `${of}: ${went.join(', ') || 'none'}, where the plan has ${wanted.join(', ')}`),
    ...missing.map(([name]) => `${name}: missing, though the drill came to its end`),
  ];
  return wrong.length === 0 ? undefined : wrong.join('; ');
}
