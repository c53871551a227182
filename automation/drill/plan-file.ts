import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf, UserError } from '../../errors.ts';
import type { PlanStep } from './plan.ts';
import { wrongSteps } from './step-values.ts';

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
 * is wrong where it cannot be read as such, each with its path: what its other steps name that there is not is told as well.
 */
export function readPlan(file: string): WrittenStep[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`the plan ${file} cannot be read: ${messageOf(cause)}`, { exitCode: 2, cause });
  }
  const list = steps.safeParse(content);
  if (!list.success) throw wrong(file, list.error.issues.map(({ message }) => message));
  const read = list.data.map((step, i) => readStep(step, `[${i}]`));
  const problems = read.flatMap((step) => step.problems ?? []);
  if (problems.length > 0) throw wrong(file, [...problems, ...wrongSteps(read.map(({ step }) => step))]);
  return read.flatMap(({ step }) => step ?? []);
}

interface ReadStep {
  /** Absent where nothing of it can be read. */
  step?: WrittenStep;
  problems?: string[];
}

function readStep(step: unknown, at: string): ReadStep {
  const keys = typeof step === 'object' && step !== null ? Object.keys(step) : [];
  const [kind] = keys;
  if (keys.length !== 1 || kind === undefined || !['do', 'wait', 'expect'].includes(kind)) return { problems: [`${at} is ${JSON.stringify(step)}, must be one of do, wait and expect`] };
  const issues = (error: z.ZodError): string[] => error.issues.map(({ path, message }) => `${at}.${path.join('.')}: ${message}`);
  if (kind === 'do') {
    const read = doStep.safeParse(step);
    if (!read.success) return { ...named(step), problems: issues(read.error) };
    const { fault, region, for: forSeconds } = read.data.do;
    return { step: { kind, fault, ...(region === undefined ? {} : { region }), ...(forSeconds === undefined ? {} : { forSeconds }) } };
  }
  if (kind === 'wait') {
    const read = waitStep.safeParse(step);
    return read.success ? { step: { kind, seconds: read.data.wait } } : { problems: issues(read.error) };
  }
  const read = expectStep.safeParse(step);
  return read.success ? { step: { kind: 'expect', objective: read.data.expect } } : { problems: issues(read.error) };
}

/** The fault of a step that is wrong otherwise. */
function named(step: unknown): ReadStep {
  const read = z.object({ do: z.object({ fault: z.string() }) }).safeParse(step);
  return read.success ? { step: { kind: 'do', fault: read.data.do.fault } } : {};
}

function wrong(file: string, problems: readonly string[]): UserError {
  return new UserError(`the plan ${file} cannot be carried out: ${problems.join('; ')}`, { exitCode: 2, remedy: 'a plan is a list of steps: do: {fault, region, for}, wait: 5s, expect: produce.failed=0' });
}
