import { mkdir } from 'node:fs/promises';
import type { UserError } from '../../errors.ts';
import { startClock } from './exchange.ts';
import { healLeftovers } from './faults/journal.ts';
import { Live } from './live.ts';
import type { Marks } from './metrics.ts';
import type { Ending } from './objectives.ts';
import { planOf } from './options.ts';
import type { DrillEvent, DrillOptions, Phase } from './options.ts';
import { carryOut } from './phases.ts';
import type { Drill } from './phases.ts';
import type { FaultMark, StepRecord } from './plan.ts';
import type { Report, RunRecord } from './report.ts';
import { makeReportDirectory, openAppender } from './store.ts';
import { judgeDirectory, writeRun } from './stored.ts';
import { NotHealed } from './underFault.ts';

export { healLeftovers } from './faults/journal.ts';
export { renderTable } from './table.ts';
export type { DrillEvent, DrillOptions } from './options.ts';
export type { Plan } from './plan.ts';
export type { Report } from './report.ts';

export interface DrillResult {
  report: Report;
  /** 0 passed, 3 broke its objectives, 4 inconclusive, 130 interrupted. */
  exitCode: 0 | 3 | 4 | 130;
}

const exitCodes = { pass: 0, fail: 3, inconclusive: 4, aborted: 130 } as const;

/**
 * Runs one drill: steady state, load, fault, observe, heal, recover, drain, verify, report. Whatever happens, the fault is healed before this
 * settles, and a journal in `stateDir` lets the next run heal what a killed one left.
 * Throws a UserError for wrong options (2, nothing touched), and (1) where the report cannot be written or a fault cannot be healed.
 * Everything else that goes wrong is a verdict.
 */
export async function runDrill(options: DrillOptions): Promise<DrillResult> {
  const { plan, outputs } = planOf(options);
  await makeReportDirectory(options.reportDir);
  await mkdir(options.stateDir, { recursive: true });
  const clock = startClock();
  const startedAt = new Date().toISOString();
  const live = new Live(clock, outputs.regions.map(({ name }) => name));
  using reporter = reportProgress(options.onEvent, live, clock);
  for (const healed of await healLeftovers(options)) reporter.phase('heal-leftovers', healed);

  const full = new AbortController();
  const onError = (error: UserError): void => { full.abort(error); };
  const store = {
    attempts: openAppender(options.reportDir, 'attempts', onError),
    deliveries: openAppender(options.reportDir, 'deliveries', onError),
    commits: openAppender(options.reportDir, 'commits', onError),
    log: openAppender(options.reportDir, 'log', onError),
  };
  const marks: Marks = {};
  const faults: FaultMark[] = [];
  const steps: StepRecord[] = [];
  const drill: Drill = {
    options, plan, outputs, clock, live, store, marks, faults, steps, phase: reporter.phase,
    signal: AbortSignal.any([full.signal, ...(options.signal ? [options.signal] : [])]),
    seen: { logRead: false },
  };
  let ending: Ending;
  let notHealed: NotHealed | undefined;
  try {
    ending = await carryOut(drill);
  } catch (error) {
    // The report is still owed: it says what is known.
    if (!(error instanceof NotHealed)) throw error;
    notHealed = error;
    ending = { kind: 'aborted', reason: error.message };
  } finally {
    await Promise.all(Object.values(store).map((file) => file.close()));
  }
  reporter.phase('report');
  const run: RunRecord = {
    schema: 'kbf-run/1', startedAt, environment: options.environment, parts: options.parts ?? {},
    regions: outputs.regions.map(({ name }) => name), plan, marks, faults, steps, ...drill.seen, ending,
  };
  await writeRun(options.reportDir, run);
  const report = await judgeDirectory(options.reportDir);
  if (notHealed !== undefined) throw notHealed;
  return { report, exitCode: exitCodes[report.verdict] };
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
