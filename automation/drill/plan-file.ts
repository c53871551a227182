import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { PlanStep } from './plan.ts';

/** `5s`, `300ms` or `2m`, in seconds. */
const time = z.string().regex(/^\d+(\.\d+)?(ms|s|m)$/, 'must be a time like 5s, 300ms or 2m').transform((text) => {
  const [, digits, unit] = /^([\d.]+)(ms|s|m)$/.exec(text) ?? [];
  return Number(digits) * (unit === 'ms' ? 0.001 : unit === 'm' ? 60 : 1);
});

const doStep = z.strictObject({ do: z.strictObject({ fault: z.string(), region: z.string().optional(), for: time.optional() }) });
const waitStep = z.strictObject({ wait: time });
const expectStep = z.strictObject({ expect: z.string() });
const steps = z.array(z.unknown()).min(1, 'must have a step at least');

/** A step of a plan, before its region is known. */
export type WrittenStep = Exclude<PlanStep, { kind: 'do' }> | { kind: 'do'; fault: string; region?: string; forSeconds?: number };

/**
 * Reads the steps of a plan file, a list in YAML of `do: {fault, region, for}`, `wait: TIME` and `expect: OBJECTIVE`. Throws one UserError (2) with all that
 * is wrong, each with its path.
 */
export function readPlan(file: string): WrittenStep[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`the plan ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { exitCode: 2, cause });
  }
  const list = steps.safeParse(content);
  if (!list.success) throw wrong(file, list.error.issues.map(({ message }) => message));
  const read = list.data.map((step, i) => readStep(step, `[${i}]`));
  const problems = read.flatMap((step) => (Array.isArray(step) ? step : []));
  if (problems.length > 0) throw wrong(file, problems);
  return read as WrittenStep[];
}

/** The step, or all that is wrong with it. */
function readStep(step: unknown, at: string): WrittenStep | string[] {
  const keys = typeof step === 'object' && step !== null ? Object.keys(step) : [];
  const [kind] = keys;
  if (keys.length !== 1 || kind === undefined || !['do', 'wait', 'expect'].includes(kind)) return [`${at} is ${JSON.stringify(step)}, must be one of do, wait and expect`];
  const issues = (error: z.ZodError): string[] => error.issues.map(({ path, message }) => `${at}.${path.join('.')}: ${message}`);
  if (kind === 'do') {
    const read = doStep.safeParse(step);
    if (!read.success) return issues(read.error);
    const { fault, region, for: forSeconds } = read.data.do;
    return { kind, fault, ...(region === undefined ? {} : { region }), ...(forSeconds === undefined ? {} : { forSeconds }) };
  }
  if (kind === 'wait') {
    const read = waitStep.safeParse(step);
    return read.success ? { kind, seconds: read.data.wait } : issues(read.error);
  }
  const read = expectStep.safeParse(step);
  return read.success ? { kind: 'expect', objective: read.data.expect } : issues(read.error);
}

function wrong(file: string, problems: readonly string[]): UserError {
  return new UserError(`the plan ${file} cannot be carried out: ${problems.join('; ')}`, { exitCode: 2, remedy: 'a plan is a list of steps: do: {fault, region, for}, wait: 5s, expect: produce.failed=0' });
}
