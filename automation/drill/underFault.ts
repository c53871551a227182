import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, UserError } from '../../errors.ts';
import { requestTimeoutMs, statusOf } from './cluster.ts';
import type { Fault } from './faults/fault.ts';
import { faultNamed } from './faults/index.ts';
import { removeEntry, writeEntry } from './faults/journal.ts';
import { Target } from './faults/target.ts';
import type { KafkaView } from './faults/target.ts';
import { expectationsOf } from './expectations.ts';
import { isToldByLoad, missesNeeded, recoverTimeoutMs, silenceMs, takeHoldTimeoutMs } from './fault-times.ts';
import type { Drill } from './phases.ts';
import type { FaultMark, PlanStep } from './plan.ts';
import { refsOf } from './place.ts';
import { isSilence, listenTo } from './silence.ts';
import type { Listen } from './silence.ts';
import { poll } from './until.ts';

const askEveryMs = 200;
/** How often it is asked whether a fault that is held is still there, and how long that may take, ms. */
const [stillThereEveryMs, stillThereWithinMs] = [2_000, 1_000];

/** A fault is in effect and stays so; the journal still knows of it. */
export class NotHealed extends UserError {
  constructor({ fault, text }: Injection, cause: unknown) {
    super(`${fault.name} of ${text} could not be healed: ${messageOf(cause)}`,
      { code: 'not-healed', remedy: 'kbf faults heal, or the next drill, tries again', cause });
  }
}

/** A fault that can be injected: nothing has been done yet. */
export interface Injection {
  fault: Fault;
  region: string;
  target: Target;
  /** What is hit, for a person. */
  text: string;
  /** How long it is to last, ms; absent: a third of the drill, or longer, until enough was seen of it. */
  holdMs: number;
  asked: boolean;
  undo: unknown;
  /** Where bringing it about failed: until then some of it may still come about, ms since the drill began. */
  lateUntilMs?: number;
  /** Nothing of it is in effect any more, and the journal has forgotten it. */
  healed?: true;
}

/** Reads what healing will need; changes nothing. Throws a UserError when the fault cannot be injected, with exit code 2 where it never could. */
export async function prepareFault({ plan, outputs, options }: Drill, step: Extract<PlanStep, { kind: 'do' }>, kafka: KafkaView): Promise<Injection> {
  const fault = faultNamed(step.fault);
  if (fault === undefined) throw new UserError(`there is no fault ${step.fault}`, { exitCode: 2 });
  const forSeconds = step.forSeconds ?? plan.durationSeconds / 3;
  const target = new Target(options.kubeconfig, refsOf(outputs, { run: plan.run, region: step.region, forSeconds }), kafka);
  return { fault, region: step.region, target, holdMs: forSeconds * 1000, asked: step.forSeconds !== undefined, ...await lookUp(fault, target) };
}

/** The same on what is there by now, as pods may have been replaced. What was arranged stays as it is: what its healing needs was read before that. */
export async function prepareAnew(injection: Injection): Promise<Injection> {
  const { fault, target } = injection;
  return fault.arrange === undefined ? { ...injection, ...await lookUp(fault, target) } : injection;
}

async function lookUp(fault: Fault, target: Target): Promise<Pick<Injection, 'text' | 'undo'>> {
  const text = fault.describe(target);
  const undo = await fault.prepare(target).catch(refuseForbidden);
  const means = fault.means?.(undo);
  return { text: means === undefined ? text : `${text} (${means})`, undo };
}

/** A right that is missing is missing for the next drill as well. What the API server says names it. */
function refuseForbidden(error: unknown): never {
  if (!(error instanceof UserError) || statusOf(error) !== 403) throw error;
  throw new UserError(error.message, { exitCode: 2, remedy: 'get the right, or choose a fault that needs less (kbf faults list)', cause: error });
}

/** Has what was ended by an earlier drill made anew, where its cluster would now be slow to bring it back. */
export async function refresh(drill: Drill, { fault, target, undo, text }: Injection): Promise<void> {
  const anew = await fault.refresh?.(target, undo);
  if (anew === undefined) return;
  drill.phase('steady', `${text} made anew, as what ended lately is made to wait before it starts again`);
  const asked = { timeoutMs: takeHoldTimeoutMs, everyMs: askEveryMs, signal: drill.signal };
  if (!await poll(() => fault.isHealed(target, anew), asked)) throw new UserError(`${text} was not back within ${takeHoldTimeoutMs / 1000} s`);
}

/** Brings about what the fault needs before the load, if anything. */
export async function arrange(drill: Drill, injection: Injection): Promise<void> {
  const { fault, target, undo, region } = injection;
  if (fault.arrange === undefined) return;
  drill.phase('steady', `${region} away before the load`);
  await note(drill, injection);
  await bringAbout(drill, injection, fault.arrange(target, undo));
  const asked = { timeoutMs: takeHoldTimeoutMs, everyMs: askEveryMs, signal: drill.signal };
  if (!await poll(async () => await fault.isArranged?.(target, undo) ?? true, asked)) throw new UserError(`${injection.text} was not away within ${takeHoldTimeoutMs / 1000} s`);
}

/** One fault under load: inject, see it take hold, hold it, heal it, wait until everybody serves again. Heals however it ends. */
export async function underFault(drill: Drill, injection: Injection): Promise<void> {
  const { clock, plan, signal } = drill;
  const { fault, region, target, undo, holdMs, asked } = injection;
  const expects = expectationsOf(fault.expects, { region, ...drill.outputs });
  const listen = expects[region]?.during === 'silent' ? await listenTo(drill, region, isToldByLoad({ region, expects })) : undefined;
  await note(drill, injection);
  const mark: FaultMark = {
    fault: fault.name, region, target: injection.text, injectMs: clock(), expects,
    ...(fault.losesInFlight === true ? { losesInFlight: true } : {}),
  };
  drill.faults.push(mark);
  drill.mark(mark, {});
  drill.phase('fault', `${fault.name}: ${injection.text}`);
  let begun = false;
  try {
    await bringAbout(drill, injection, fault.inject(target, undo, signal));
    begun = true;
    await takeHold(drill, injection, { mark, listen });
    if (fault.ends === 'by itself') {
      drill.phase('observe', 'until it ends by itself');
      await poll(() => fault.isHealed(target, undo), { timeoutMs: recoverTimeoutMs + holdMs, everyMs: askEveryMs, signal }).catch(ignoreUnlessAborted(signal));
    } else {
      const seenFromMs = mark.tookHoldMs === undefined || asked ? 0 : plan.durationSeconds * 1000 / 6;
      await hold(drill, injection, { mark, untilMs: Math.max(mark.injectMs + holdMs, clock() + seenFromMs) });
    }
  } finally {
    drill.mark(mark, { healMs: clock() });
    await heal(drill, injection);
    // An interrupted drill waits for nobody, and nobody knows what would have ended by itself.
    if (!signal.aborted && (begun || fault.ends !== 'by itself')) await recover(drill, injection, mark);
  }
}

/** An API server that did not answer may still do what it was asked, for as long as it had time to answer. */
async function bringAbout({ clock }: Drill, injection: Injection, deed: Promise<void>): Promise<void> {
  await deed.catch((error: unknown) => {
    injection.lateUntilMs = clock() + requestTimeoutMs;
    throw error;
  });
}

/** Ignores the signal on purpose: an interrupted drill heals as well. Safe to repeat. */
export async function heal(drill: Drill, injection: Injection): Promise<void> {
  try {
    drill.phase('heal');
    await healNow(injection);
    const lateMs = (injection.lateUntilMs ?? 0) - drill.clock();
    if (lateMs > 0) {
      drill.phase('heal', `again in ${Math.ceil(lateMs / 1000)} s, as what failed may still come about`);
      await delay(lateMs);
      await healNow(injection);
    }
    if (injection.fault.holdsBack === true) drill.live.lastReleaseMs = drill.clock();
    await removeEntry(drill.options.stateDir, drill.plan.run);
    injection.healed = true;
  } catch (error) {
    throw new NotHealed(injection, error);
  }
}

/** Takes back what was brought about before the load, unless its fault has been healed: by then the journal may hold another's, which has to stay. */
export async function healArranged(drill: Drill, injection: Injection): Promise<void> {
  if (injection.fault.arrange !== undefined && injection.healed !== true) await heal(drill, injection);
}

async function healNow({ fault, target, undo }: Injection): Promise<void> {
  const patient = { timeoutMs: 30_000, everyMs: 500, signal: new AbortController().signal };
  await poll(async () => {
    await fault.heal(target, undo);
    return true;
  }, patient);
}

/** In the journal before anything is done. An interrupted drill does no more. */
async function note({ options, plan, signal }: Drill, { fault, target, text, undo }: Injection): Promise<void> {
  signal.throwIfAborted();
  await writeEntry(options.stateDir, { schema: 'kbf-fault/2', run: plan.run, fault: fault.name, target: text, refs: target.refs, undo, at: new Date().toISOString() });
}

/** Waits for the effect as seen from outside: first in the cluster, then, where it has to show there, in who answers. */
async function takeHold(drill: Drill, { fault, target, undo, region }: Injection, { mark, listen }: { mark: FaultMark; listen: Listen | undefined }): Promise<void> {
  const { clock, plan, signal, marks } = drill;
  drill.phase('observe');
  const asked = { timeoutMs: takeHoldTimeoutMs, everyMs: askEveryMs, signal };
  if (!await poll(() => fault.isEffective(target, undo), asked)) return;
  const effectiveMs = clock();
  if (mark.expects[region]?.during !== 'silent') {
    drill.mark(mark, { tookHoldMs: effectiveMs });
    return;
  }
  // Of a region that answered nobody before, silence says nothing.
  if (listen === undefined) return;
  let silentSinceMs = effectiveMs;
  // Whether others answer meanwhile is no condition: where nobody does, the fault took hold and failover did not.
  const enough = { ms: silenceMs(plan, mark, marks.loadMs), requests: missesNeeded(plan, mark) };
  const isSilent = await poll(async () => {
    const heard = await listen();
    silentSinceMs = Math.max(effectiveMs, heard.lastMs);
    return isSilence(heard, silentSinceMs, enough);
  }, asked);
  if (isSilent) drill.mark(mark, { tookHoldMs: silentSinceMs });
}

/** Leaves a fault in effect, and sees now and then, and at the end, that it is: another may end it, and what serves from then on does not serve under it. */
async function hold({ clock, signal }: Drill, injection: Injection, { mark, untilMs }: { mark: FaultMark; untilMs: number }): Promise<void> {
  const { fault, text } = injection;
  let seenMs = clock();
  for (;;) {
    await delay(Math.max(0, Math.min(stillThereEveryMs, untilMs - clock())), undefined, { signal });
    const askedMs = clock();
    // Once more, as an answer may be of a moment.
    const seen = mark.tookHoldMs === undefined ? 'unknown' : await seenNow(injection);
    if (seen === 'gone' && await seenNow(injection) === 'gone') {
      throw new UserError(`the fault was gone before it was healed: ${fault.name} of ${text} was ended by somebody else, or by a limit of its cluster, between ${seconds(seenMs - mark.injectMs)} and ${seconds(clock() - mark.injectMs)} s after it was made`,
        { remedy: 'see what brings back what is hurt (kbf faults list says what each fault needs), or let it last less long (--duration)' });
    }
    if (seen === 'there') seenMs = askedMs;
    if (clock() >= untilMs) return;
  }
}

/** What is seen of a fault: of a cluster that does not answer at once nobody knows. */
async function seenNow({ fault, target, undo }: Injection): Promise<'there' | 'gone' | 'unknown'> {
  const asked = fault.lasts === undefined ? fault.isEffective(target, undo) : fault.lasts(target, undo);
  return await Promise.race([asked.then((isThere) => (isThere ? 'there' : 'gone'), () => 'unknown' as const), delay(stillThereWithinMs, 'unknown' as const, { ref: false })]);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

async function recover(drill: Drill, { fault, target, undo, region }: Injection, mark: FaultMark): Promise<void> {
  const { clock, live, signal } = drill;
  drill.phase('recover');
  const healMs = mark.healMs ?? 0;
  const isHealed = await poll(() => fault.isHealed(target, undo), { timeoutMs: recoverTimeoutMs, everyMs: askEveryMs, signal }).catch(ignoreUnlessAborted(signal));
  if (isHealed !== true) return;
  // A standby serves nothing while others do.
  const awaited = mark.expects[region]?.after === 'serves' ? region : undefined;
  const serves = await live.until(() => live.hasServedSince(healMs, awaited), recoverTimeoutMs, signal);
  if (serves) drill.mark(mark, { recoveredMs: clock() });
}

/** What cannot be asked is not healed; that is a finding, no reason to end. */
function ignoreUnlessAborted(signal: AbortSignal): (error: unknown) => false {
  return (error) => {
    if (signal.aborted) throw error;
    return false;
  };
}
