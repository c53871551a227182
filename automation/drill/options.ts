import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { faults } from './faults/index.ts';
import type { FaultName } from './faults/index.ts';
import type { LiveView } from './live.ts';
import { defaultConsumers, defaultLoad, wrongConsumers, wrongLoad } from './load-plan.ts';
import type { ConsumersPlan, LoadPlan, Plan, PlanStep } from './plan.ts';
import type { Parts } from './report.ts';

const region = z.object({ name: z.string(), context: z.string(), namespace: z.string(), bridge: z.string(), gatewayAddress: z.string() });

const outputsSchema = z.object({
  hostname: z.string(),
  tier1Address: z.string(),
  url: z.string().optional(),
  caCertificate: z.string().optional(),
  kafka: z.object({ bootstrapServers: z.string(), caCertificate: z.string().optional() }),
  regions: z.array(region).min(2),
});

/** What the drill reads of the program's outputs. */
export type ProgramOutputs = z.infer<typeof outputsSchema>;

export interface DrillOptions {
  /** The program's outputs, as the stack gives them. */
  outputs: unknown;
  /** What the report calls the place. */
  environment: string;
  /** Path of a kubeconfig that has the context of every region. */
  kubeconfig: string;
  /** Where faults in effect are journaled; one directory per environment. */
  stateDir: string;
  /** Where the run and its report go; made if absent, refused if it holds a run. */
  reportDir: string;
  fault: FaultName;
  /** The region to hurt. Default: the first. */
  region?: string;
  /** Records a second. Default 100. */
  rate?: number;
  /** How long the load lasts if the region recovers in time. Default 30, at least 6. */
  durationSeconds?: number;
  /** Keep-alive connections of the load. Default 16: where four clusters share two cores a record takes 40 ms, and 4 would carry less than 100 a second. */
  connections?: number;
  /** How the load is sent. Default: evenly, from this process, every connection kept, nothing sent twice. */
  load?: Partial<LoadPlan>;
  /** Default: two that share a subscription. */
  consumers?: Partial<ConsumersPlan>;
  /** What is done under load. Default: `fault` alone. */
  steps?: PlanStep[];
  /** Default: one drawn for this run. */
  seed?: number;
  /** Objectives besides the drill's own, such as `produce.blackoutMs<=100`. */
  objectives?: string[];
  /** What the environment runs on, for the report. */
  parts?: Parts;
  /** Ends the drill: the fault is healed, then the report says `aborted`. */
  signal?: AbortSignal;
  onEvent?: (event: DrillEvent) => void;
}

export type Phase = 'heal-leftovers' | 'steady' | 'load' | 'fault' | 'observe' | 'heal' | 'recover' | 'drain' | 'verify' | 'report';

/** `t` is in ms since the drill began. */
export type DrillEvent =
  | { kind: 'phase'; t: number; phase: Phase; detail?: string }
  | ({ kind: 'live'; t: number; phase: Phase } & LiveView);

const partitions = 6;

/** Checks the options before anything is touched. Throws one UserError (exit code 2) with all that is wrong. */
export function planOf(options: DrillOptions): { plan: Plan; outputs: ProgramOutputs } {
  const outputs = outputsSchema.safeParse(options.outputs);
  if (!outputs.success) {
    const lines = outputs.error.issues.map(({ path, message }) => `${path.join('.') || 'outputs'}: ${message}`);
    throw new UserError(`the outputs of ${options.environment} are not those of a deployed program: ${lines.join('; ')}`,
      { exitCode: 2, remedy: 'deploy first (kbf up)' });
  }
  const names = outputs.data.regions.map(({ name }) => name);
  const { fault, region: target = names[0] ?? '', rate = 100, durationSeconds = 30, connections = 16, seed = randomInt(2 ** 31) } = options;
  const load = { ...defaultLoad, ...options.load };
  const consumers = { ...defaultConsumers, ...options.consumers };
  const wrong = [
    ...(Object.hasOwn(faults, fault) ? [] : [`fault ${fault} is unknown; there is ${Object.keys(faults).join(', ')}`]),
    ...(names.includes(target) ? [] : [`region ${target} is none of ${names.join(', ')}`]),
    ...range('rate', rate, { least: 1, most: 20_000, unit: 'records a second' }),
    ...range('duration', durationSeconds, { least: 6, most: 86_400, unit: 's' }),
    ...(Number.isSafeInteger(seed) && seed >= 0 ? [] : [`seed is ${seed}, must be a whole number, 0 or more`]),
    ...range('connections', connections, { least: 1, most: 10_000, unit: 'connections' }),
    ...wrongLoad(load),
    ...wrongConsumers(consumers, partitions),
  ];
  if (wrong.length > 0) throw new UserError(`the drill cannot be run: ${wrong.join('; ')}`, { exitCode: 2 });
  const run = newRun();
  return {
    outputs: outputs.data,
    plan: {
      run, fault, region: target, rate, durationSeconds, connections, requestTimeoutMs: 10_000,
      topic: `kbf-drill-${run}`, partitions, keys: 60, seed, consumers, load,
      steps: options.steps ?? [{ kind: 'do', fault, region: target }],
      ...(options.objectives === undefined ? {} : { objectives: options.objectives }),
    },
  };
}

function range(name: string, value: number, { least, most, unit }: { least: number; most: number; unit: string }): string[] {
  return value >= least && value <= most ? [] : [`${name} is ${value}, must be ${least} to ${most} ${unit}`];
}

/** Sorts by time, and fits into the name of a topic and of a file. */
function newRun(): string {
  return `${new Date().toISOString().replace(/[-:]|\.\d+Z/g, '')}-${Math.random().toString(36).slice(2, 6)}`.toLowerCase();
}
