import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { servingRegions } from './expectations.ts';
import { faultNamed } from './faults/index.ts';
import type { LiveView } from './live.ts';
import { partitions, refuse, settled, wrongValues } from './option-values.ts';
import type { ConsumersPlan, LoadPlan, Plan, PlanStep } from './plan.ts';
import type { WrittenStep } from './plan-file.ts';
import type { Parts } from './report.ts';
import { wrongSteps } from './step-values.ts';

const region = z.object({ name: z.string(), context: z.string(), namespace: z.string(), bridge: z.string(), gateway: z.string().optional(), gatewayAddress: z.string() });
/**
 * `first`: the region that the others stand by for; absent where all serve. `weights`: how often each is sent a request, where they say so. `byPlace`: TSB ranks them by where tier1
 * stands.
 */
const tier1 = z.object({
  context: z.string(), namespace: z.string(), gateway: z.string(), mode: z.string().optional(), first: z.string().optional(), weights: z.record(z.string(), z.number()).optional(), byPlace: z.boolean().optional(),
});

/** How bridges say to Kafka who they are, by a Secret beside each of them: the program's `bridge.authentication`. */
const authentication = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tls'), secret: z.object({ name: z.string(), certificate: z.string(), key: z.string() }) }),
  z.object({ type: z.literal(['scram-sha-512', 'scram-sha-256']), username: z.string(), secret: z.object({ name: z.string(), key: z.string() }) }),
]);

const outputsSchema = z.object({
  hostname: z.string(),
  tier1Address: z.string(),
  url: z.string().optional(),
  caCertificate: z.string().optional(),
  kafka: z.object({
    bootstrapServers: z.string(), caCertificate: z.string().optional(), authentication: authentication.optional(),
    // Where Kafka is the program's own.
    context: z.string().optional(), namespace: z.string().optional(), name: z.string().optional(),
  }),
  tier1: tier1.optional(),
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
  /** What to break (faults/index.ts), where there are no `steps`. */
  fault?: string;
  /** The region to hurt, where a step names none. Default: the first that serves. */
  region?: string;
  /** Records a second. Default 100. */
  rate?: number;
  /** How long the load lasts if the region recovers in time. Default 30, at least 6. */
  durationSeconds?: number;
  /** Keep-alive connections of the load, one at least for each worker and the driver. Default 16, or that many where it is more. */
  connections?: number;
  /** How the load is sent. Default: evenly, from this process, every connection kept, nothing sent twice. */
  load?: Partial<LoadPlan>;
  /** Default: two that share a subscription. */
  consumers?: Partial<ConsumersPlan>;
  /** What is done under load. Default: `fault` alone. */
  steps?: WrittenStep[];
  /** Share (0 to 1) of the records of 10 s that may end other than ok before the drill is ended. Default 0.5. */
  abortAfterErrors?: number;
  /** Default: one drawn for this run. */
  seed?: number;
  /** Objectives besides the drill's own, such as `produce.blackoutMs<=100`. */
  objectives?: string[];
  /** What a sandbox has installed, for the report; its Kafka is the one that its cluster tells. Default: what the clusters tell of all. */
  parts?: Parts;
  /** Ends the drill: the fault is healed, then the report says `aborted`; before the stack's Lease is held there is none, and the drill rejects with the signal's reason. */
  signal?: AbortSignal;
  onEvent?: (event: DrillEvent) => void;
}

export type Phase = 'heal-leftovers' | 'steady' | 'load' | 'fault' | 'observe' | 'expect' | 'heal' | 'recover' | 'drain' | 'verify' | 'report';

/** `t` is in ms since the drill began. */
export type DrillEvent =
  | { kind: 'phase'; t: number; phase: Phase; detail?: string }
  | ({ kind: 'live'; t: number; phase: Phase } & LiveView);

const defaultFault = 'bridge-scale-0';

/** Throws a UserError (2) that names every output that is missing. */
export function outputsOf({ outputs: given, environment }: Pick<DrillOptions, 'outputs' | 'environment'>): ProgramOutputs {
  const outputs = outputsSchema.safeParse(given);
  if (outputs.success) return outputs.data;
  const lines = outputs.error.issues.map(({ path, message }) => `${path.join('.') || 'outputs'}: ${message}`);
  throw new UserError(`the outputs of ${environment} are not those of a deployed program: ${lines.join('; ')}`, { exitCode: 2, remedy: 'deploy first (kbf up)' });
}

/** Checks the options before anything is touched. Throws one UserError (exit code 2) with all that is wrong. */
export function planOf(options: DrillOptions): { plan: Plan; outputs: ProgramOutputs } {
  const outputs = outputsOf(options);
  const names = outputs.regions.map(({ name }) => name);
  mustSayShares(outputs);
  const { region: target = servingRegions(outputs)[0] ?? '' } = options;
  const { rate, durationSeconds, connections, seed, abortAfterErrors, load, consumers } = settled(options);
  const steps = stepsOf(options, target);
  const first = steps.find((step) => step.kind === 'do');
  refuse([...wrongSteps(steps, names), ...misplaced(steps), ...wrongValues(options, names)]);
  const run = newRun();
  return {
    outputs,
    plan: {
      run, fault: first?.fault ?? '', region: first?.region ?? target, rate, durationSeconds, connections, requestTimeoutMs: 10_000,
      topic: `kbf-drill-${run}`, partitions, keys: 60, seed, consumers, load,
      steps, abortAfterErrors,
      ...(options.objectives === undefined ? {} : { objectives: options.objectives }),
    },
  };
}

/** Who is sent how much is known of a stack that an earlier version deployed only to its clusters. */
function mustSayShares({ tier1 }: ProgramOutputs): void {
  if (tier1?.mode !== 'weighted' || tier1.weights !== undefined) return;
  throw new UserError('the outputs do not say which share of the requests tier1 gives each region', { exitCode: 2, remedy: 'deploy again with this version (kbf up)' });
}

function stepsOf({ steps, fault = defaultFault }: DrillOptions, target: string): PlanStep[] {
  const written: readonly WrittenStep[] = steps ?? [{ kind: 'do', fault }];
  return written.map((step): PlanStep => (step.kind === 'do' ? { ...step, region: step.region ?? target } : step));
}

/** What is there before the load cannot come later. */
function misplaced(steps: readonly PlanStep[]): string[] {
  const first = steps.findIndex(({ kind }) => kind === 'do');
  return steps.flatMap((step, i) => (step.kind === 'do' && i > first && faultNamed(step.fault)?.arrange !== undefined ? [`steps[${i}]: ${step.fault} begins before the load, so it can only be the first fault`] : []));
}

/** Sorts by time, and fits into the name of a topic and of a file. */
function newRun(): string {
  return `${new Date().toISOString().replace(/[-:]|\.\d+Z/g, '')}-${Math.random().toString(36).slice(2, 6)}`.toLowerCase();
}
