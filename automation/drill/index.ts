import { mkdir, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import { heard } from '../listener.ts';
import { Cluster } from './cluster.ts';
import { contentOf } from './content.ts';
import { startClock } from './exchange.ts';
import { exitCodeOf } from './exit-code.ts';
import { healLeftovers, sentenceOf } from './faults/journal.ts';
import type { Healed } from './faults/journal.ts';
import { AbortCondition } from './guard.ts';
import { healOfTheDead } from './heal.ts';
import { JudgeAhead } from './judge-ahead.ts';
import type { StoredBefore } from './judge-ahead.ts';
import { Lease } from './lease.ts';
import { leftBy, whereToLook } from './left-lease.ts';
import { Live } from './live.ts';
import type { Marks } from './metrics.ts';
import { planOf } from './options.ts';
import type { DrillEvent, DrillOptions, Phase, ProgramOutputs } from './options.ts';
import { besidesKafka } from './parts.ts';
import { carryOut } from './phases.ts';
import type { Drill } from './phases.ts';
import { leaseAwayMs, leasePlaceOf } from './place.ts';
import type { FaultMark, Plan } from './plan.ts';
import { driverEnded } from './report.ts';
import type { Report, RunRecord } from './report.ts';
import { makeReportDirectory, openAppender, runFiles } from './store.ts';
import { judgeDirectory, writeRun } from './stored.ts';
import { NotHealed } from './underFault.ts';

export { healStack } from './heal.ts';
export { lookForLease } from './left-lease.ts';
export { repeatDrill } from './repeat.ts';
export { renderTable } from './table.ts';
export type { DrillEvent, DrillOptions } from './options.ts';
export type { Plan } from './plan.ts';
export type { Report } from './report.ts';

export interface DrillResult {
  report: Report;
  /** 0 passed, 3 broke its objectives, 4 inconclusive, 130 interrupted. */
  exitCode: 0 | 3 | 4 | 130;
}

/**
 * Runs one drill: steady state, load, fault, observe, heal, recover, drain, verify, report. Whatever happens, the fault is healed before this
 * settles, and a journal in `stateDir` lets the next run heal what a killed one left.
 * Throws a UserError for wrong options, for a fault that cannot be injected here, and where another drill is on the stack (2, nothing touched), and (1) where
 * the report cannot be written or a fault cannot be healed. An abort before the stack's Lease is held rejects with the signal's reason, and no report is left; one that
 * comes later resolves as aborted (130) with a report, healed, unless the drill had come to its end. Everything else that goes wrong is a verdict.
 */
export async function runDrill(given: DrillOptions): Promise<DrillResult> {
  given.signal?.throwIfAborted();
  const options = { ...given, onEvent: heard(given.onEvent) };
  const { plan, outputs } = planOf(options);
  const place = leasePlaceOf(outputs);
  const cluster = new Cluster(options.kubeconfig, place.context);
  await makeReportDirectory(options.reportDir);
  return await runPlan(options, { plan, outputs, cluster, namespace: place.namespace });
}

/** What a refused run had begun to store, and the directory if nothing else is in it. */
async function dropRun(directory: string): Promise<void> {
  await Promise.all(runFiles.map((name) => rm(path.join(directory, name), { force: true })));
  await rmdir(directory).catch(() => undefined);
}

async function runPlan(options: DrillOptions, { plan, outputs, cluster, namespace }: { plan: Plan; outputs: ProgramOutputs; cluster: Cluster; namespace: string }): Promise<DrillResult> {
  await mkdir(options.stateDir, { recursive: true });
  const clock = startClock();
  const live = new Live(clock, outputs.regions.map(({ name }) => name));
  using reporter = reportProgress(options.onEvent, live, clock);
  const full = new AbortController();
  const condition = new AbortController();
  const stop = (why: AbortCondition): void => { condition.abort(why); };
  const onError = (error: UserError): void => { full.abort(error); };
  const store = openStore(options.reportDir, onError);
  const run: RunRecord = {
    schema: 'kbf-run/2', startedAt: new Date().toISOString(), environment: options.environment, parts: besidesKafka(options.parts ?? {}),
    regions: outputs.regions.map(({ name }) => name), plan, marks: {}, faults: [], steps: [], logRead: false,
    ending: driverEnded,
  };
  const { marks, faults, steps } = run;
  let ahead: JudgeAhead | undefined;
  await using cleanup = new AsyncDisposableStack();
  const drill: Drill = {
    options, plan, outputs, clock, live, content: contentOf(plan), store, marks, faults, steps, phase: reporter.phase, seen: run, stop, touched: false,
    mark(fault, more) {
      Object.assign(fault, more);
      if (fault === faults[0]) Object.assign(marks, marksOf(fault));
      // So that a run whose driver is killed can be judged as far as it got.
      writeRun(options.reportDir, run).catch(onError);
    },
    async judgeAhead() {
      ahead = cleanup.use(new JudgeAhead(options.reportDir, { ...run, logRead: true, ending: { kind: 'complete' } }, await storedBefore(store)));
    },
    signal: AbortSignal.any([full.signal, condition.signal, ...(options.signal ? [options.signal] : [])]),
  };
  let notHealed: NotHealed | undefined;
  let begun = false;
  let refused = false;
  try {
    const notice = (text: string): void => { reporter.phase('heal-leftovers', text); };
    const told = (leftovers: readonly Healed[]): void => { leftovers.map(sentenceOf).forEach(notice); };
    const withoutLease = async (why: UserError): Promise<void> => { told(await healOfTheDead(options, why)); };
    run.ending = await withLease(cluster, { namespace, plan, awayMs: leaseAwayMs(plan, outputs, options.kubeconfig), options, stop, notice, withoutLease }, async () => {
      told(await healLeftovers(options));
      begun = true;
      await writeRun(options.reportDir, run);
      return await carryOut(drill);
    });
  } catch (error) {
    refused = !begun || (error instanceof UserError && error.exitCode === 2 && !drill.touched);
    // The report is still owed: it says what is known.
    if (!(error instanceof NotHealed)) throw error;
    notHealed = error;
    run.ending = { kind: 'aborted', reason: error.message };
  } finally {
    const [attempts, deliveries, commits, log] = await Promise.all([store.attempts.close(), store.deliveries.close(), store.commits.close(), store.log.close()]);
    run.stored = { attempts, deliveries, commits, log };
    // Nothing was done: the same directory can be named again.
    if (refused) await dropRun(options.reportDir);
  }
  reporter.phase('report');
  await writeRun(options.reportDir, run);
  const report = await judgeDirectory(options.reportDir, ahead);
  if (notHealed !== undefined) throw notHealed;
  return { report, exitCode: report.verdict === 'aborted' && options.signal?.aborted === true ? 130 : exitCodeOf(report) };
}

async function storedBefore(store: Drill['store']): Promise<StoredBefore> {
  const [attempts, deliveries, commits] = await Promise.all([store.attempts.written(), store.deliveries.written(), store.commits.written()]);
  return { attempts, deliveries, commits };
}

function openStore(directory: string, onError: (error: UserError) => void): Drill['store'] {
  return {
    attempts: openAppender(directory, 'attempts', onError),
    deliveries: openAppender(directory, 'deliveries', onError),
    commits: openAppender(directory, 'commits', onError),
    log: openAppender(directory, 'log', onError),
  };
}

interface Holding {
  namespace: string;
  plan: Plan;
  awayMs: number;
  options: DrillOptions;
  stop: (why: AbortCondition) => void;
  notice: (text: string) => void;
  /** What can be done where the Lease cannot be asked for. */
  withoutLease: (why: UserError) => Promise<void>;
}

/** Does the work while no other drill can be on the stack. A cluster that cannot be asked for the Lease is a reason to begin nothing, not a refusal. */
async function withLease(cluster: Cluster, { namespace, plan, awayMs, options, stop, notice, withoutLease }: Holding, work: () => Promise<RunRecord['ending']>): Promise<RunRecord['ending']> {
  let lease: Lease;
  try {
    lease = await Lease.take(cluster, {
      namespace, awayMs, stateDir: options.stateDir, holder: `${plan.run} on ${hostname()}, process ${process.pid}`,
      onLost: (why) => { stop(new AbortCondition(why, { lost: true })); }, ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    // Who waits for a Lease rejects with an error of its own.
    options.signal?.throwIfAborted();
    if (!(error instanceof UserError) || error.exitCode === 2) throw error;
    const left = await withoutLease(error).then(() => '', (failure: unknown) => {
      if (failure instanceof UserError) return failure.message;
      throw failure;
    });
    options.signal?.throwIfAborted();
    return { kind: 'inconclusive', reason: left.includes(error.message) ? left : [error.message, ...(left === '' ? [] : [left])].join('; ') };
  }
  try {
    if (lease.takenFrom !== undefined) notice(`${leftBy(lease.takenFrom)}. ${whereToLook}`);
    return await work();
  } finally {
    await lease[Symbol.asyncDispose]();
  }
}

function marksOf({ injectMs, tookHoldMs, healMs, recoveredMs }: FaultMark): Marks {
  return {
    injectMs, ...(tookHoldMs === undefined ? {} : { tookHoldMs }), ...(healMs === undefined ? {} : { healMs }), ...(recoveredMs === undefined ? {} : { recoveredMs }),
  };
}

const liveEveryMs = 500;

/** Tells the caller of each phase, and of the load while it runs. */
function reportProgress(onEvent: ((event: DrillEvent) => void) | undefined, live: Live, clock: () => number): Disposable & { phase(name: Phase, detail?: string): void } {
  let current: Phase = 'steady';
  const timer = setInterval(() => {
    const view = live.view();
    if (view.rate > 0) onEvent?.({ kind: 'live', t: clock(), phase: current, ...view });
  }, liveEveryMs);
  return {
    phase(name, detail) {
      current = name;
      onEvent?.({ kind: 'phase', t: clock(), phase: name, ...(detail === undefined ? {} : { detail }) });
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
