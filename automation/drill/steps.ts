import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaView } from './faults/target.ts';
import { holds, parseObjective } from './objective-text.ts';
import type { Drill } from './phases.ts';
import type { StepRecord } from './plan.ts';
import { prepareFault, underFault } from './underFault.ts';
import type { Injection } from './underFault.ts';
import { measureWindow } from './window.ts';
import type { WindowFigure } from './window.ts';

/**
 * The plan's steps under load. Before the first there is a third of the drill's time, and after the last a sixth at least, so that the shares before and
 * after rest on some requests. `first` is the first fault, prepared.
 */
export async function carryOutSteps(drill: Drill, first: Injection, kafka: KafkaView): Promise<void> {
  const { plan, clock, signal, live, marks } = drill;
  const durationMs = plan.durationSeconds * 1000;
  const beginMs = clock();
  await delay(durationMs / 3, undefined, { signal });
  let next: Injection | undefined = first;
  let sinceMs = beginMs;
  for (const step of plan.steps) {
    if (step.kind === 'wait') {
      await delay(step.seconds * 1000, undefined, { signal });
    } else if (step.kind === 'expect') {
      expectStep(drill, step.objective, sinceMs);
    } else {
      // What is hit may have been replaced by an earlier step.
      const injection: Injection = next ?? await prepareFault(drill, step, kafka);
      next = undefined;
      sinceMs = clock();
      live.keepSinceMs = sinceMs;
      const record: StepRecord = { kind: 'do', text: `${step.fault} of ${step.region}`, startMs: sinceMs };
      drill.steps.push(record);
      await underFault(drill, injection).finally(() => { record.endMs = clock(); });
    }
  }
  const endMs = Math.max((marks.loadMs ?? beginMs) + durationMs, clock() + durationMs / 6);
  await delay(Math.max(0, endMs - clock()), undefined, { signal });
}

/** Judges what was seen since the last fault began. A step that is not met ends nothing; the verdict knows of it. */
function expectStep(drill: Drill, text: string, fromMs: number): void {
  const { clock, live, outputs, plan } = drill;
  const objective = parseObjective(text, outputs.regions.map(({ name }) => name));
  const values = measureWindow(live.endedSince(fromMs), { fromMs, toMs: clock() });
  const measured = values[objective.name as WindowFigure];
  const step: StepRecord = { kind: 'expect', text: objective.text, startMs: fromMs, endMs: clock() };
  drill.steps.push(step);
  if (measured !== undefined) Object.assign(step, { measured, met: holds(objective, measured, values['produce.sent'] ?? 0) });
  if (plan.steps.length > 1) drill.phase('expect', `${objective.text}: ${measured === undefined ? 'not measured' : `${measured}, ${step.met === true ? 'met' : 'NOT MET'}`}`);
}
