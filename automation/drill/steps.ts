import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import type { ConsumerGroup } from './consumers.ts';
import type { KafkaView } from './faults/target.ts';
import type { Drill } from './phases.ts';
import type { PlanStep, StepRecord } from './plan.ts';
import { prepareAnew, prepareFault, underFault } from './underFault.ts';
import type { Injection } from './underFault.ts';
import { ExpectedStep, Window } from './window.ts';

/**
 * The plan's steps under load. Before the first there is a third of the drill's time, and after the last a sixth at least, so that the shares before and
 * after rest on some requests. `first` is the first fault, prepared; it is looked up anew as its turn comes. Throws a UserError where consumers are lost without any.
 */
export async function carryOutSteps(drill: Drill, first: Injection, kafka: KafkaView, consumers: Pick<ConsumerGroup, 'recreated'>): Promise<void> {
  const { plan, clock, signal, live, marks } = drill;
  const durationMs = plan.durationSeconds * 1000;
  const beginMs = clock();
  // What was lost before may be the drill's own doing, where a fault is arranged before the load.
  const lostBefore = consumers.recreated.length;
  await delay(durationMs / 3, undefined, { signal });
  let next: Injection | undefined = first;
  let sinceMs = beginMs;
  for (const [i, step] of plan.steps.entries()) {
    if (step.kind === 'wait') {
      await delay(step.seconds * 1000, undefined, { signal });
    } else if (step.kind === 'expect') {
      expectStep(drill, step.objective, sinceMs);
      if (!isExpectedOf(plan.steps.slice(i + 1))) live.gathered = undefined;
    } else {
      // What is hit may have been replaced meanwhile, by an earlier step or by anybody.
      const injection: Injection = next === undefined ? await prepareFault(drill, step, kafka) : await prepareAnew(next);
      if (next !== undefined) mustBeKnown(consumers.recreated.slice(lostBefore));
      next = undefined;
      sinceMs = clock();
      live.gathered = isExpectedOf(plan.steps.slice(i + 1)) ? new Window({ fromMs: sinceMs, toMs: Infinity }) : undefined;
      const record: StepRecord = { kind: 'do', text: `${step.fault} of ${step.region}`, startMs: sinceMs };
      drill.steps.push(record);
      await underFault(drill, injection).finally(() => { record.endMs = clock(); });
    }
  }
  const endMs = Math.max((marks.loadMs ?? beginMs) + durationMs, clock() + durationMs / 6);
  await delay(Math.max(0, endMs - clock()), undefined, { signal });
}

/** A consumer that its bridge does not know any more, though nobody has hurt that yet, would be taken for the fault's. */
function mustBeKnown(lost: readonly string[]): void {
  const unknown = lost.filter((why) => why.includes(': 404 '));
  if (unknown.length === 0) return;
  throw new UserError(`consumers lost their instances ${unknown.length} times before the fault, which was not injected, as who was asked did not know them (${unknown.at(-1) ?? ''}): `
    + 'of several bridges in a region each knows its own alone, and nothing keeps what is asked of a group at one (docs/failover.md)');
}

/** Whether anything is expected of what was done last, before something else is done. */
function isExpectedOf(next: readonly PlanStep[]): boolean {
  return next.find(({ kind }) => kind !== 'wait')?.kind === 'expect';
}

/**
 * Says what is known by now of what was seen since the last fault began: the driver's own requests alone, where workers send too. A step that is not met ends
 * nothing; the verdict judges it by all that was stored.
 */
function expectStep(drill: Drill, text: string, fromMs: number): void {
  const { clock, live, outputs, plan } = drill;
  const expected = new ExpectedStep({ kind: 'expect', text, startMs: fromMs, endMs: clock() }, outputs.regions.map(({ name }) => name), live.gathered);
  const step = expected.judged();
  drill.steps.push(step);
  const { measured, met } = step;
  if (plan.steps.length > 1) drill.phase('expect', `${text}: ${measured === undefined ? 'not measured' : `${measured}, ${met === true ? 'met' : 'NOT MET'}`}`);
}
