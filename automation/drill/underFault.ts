import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import type { Fault } from './faults/fault.ts';
import { faults } from './faults/index.ts';
import { removeEntry, writeEntry } from './faults/journal.ts';
import { BridgeApi } from './kubernetes.ts';
import type { Drill } from './phases.ts';
import { poll } from './until.ts';

/** A fault that has not taken hold by then never will. */
const takeHoldTimeoutMs = 60_000;
/** A region that does not serve again by then is reported as not recovered. */
const recoverTimeoutMs = 90_000;
/** For so long, and while so many requests fell due, must the faulted region be silent before the fault counts as taken hold. */
const silence = { ms: 500, requests: 5 };
const askEveryMs = 200;

/** A fault is in effect and stays so; the journal still knows of it. */
export class NotHealed extends UserError {
  constructor(drill: Drill, cause: unknown) {
    const { fault, region } = drill.plan;
    super(`${fault} of ${region} could not be healed: ${cause instanceof Error ? cause.message : String(cause)}`,
      { remedy: 'kbf faults heal, or the next drill, tries again', cause });
  }
}

/** Reads what healing will need; changes nothing. Throws a UserError when the fault cannot be injected. */
export async function prepareFault(drill: Drill): Promise<{ underLoad(): Promise<void> }> {
  const { plan, outputs, options } = drill;
  const region = outputs.regions.find(({ name }) => name === plan.region);
  if (region === undefined) throw new UserError(`there is no region ${plan.region}`);
  const { context, namespace, bridge } = region;
  const target = new BridgeApi(options.kubeconfig, { context, namespace, bridge });
  const fault = faults[options.fault];
  const undo = await fault.prepare(target);
  return { underLoad: () => underLoad(drill, { fault, target, undo }) };
}

interface Injection {
  fault: Fault;
  target: BridgeApi;
  undo: unknown;
}

/**
 * A third of the time before the fault, a third under it, and the rest after heal: until the region serves again and a sixth of the time
 * more, so that the shares after it rest on some requests.
 */
async function underLoad(drill: Drill, injection: Injection): Promise<void> {
  const { marks, plan, clock, signal } = drill;
  const durationMs = plan.durationSeconds * 1000;
  await delay(durationMs / 3, undefined, { signal });
  try {
    await inject(drill, injection);
    await takeHold(drill, injection);
    const healAtMs = Math.max((marks.injectMs ?? 0) + durationMs / 3, clock() + (marks.tookHoldMs === undefined ? 0 : durationMs / 6));
    await delay(Math.max(0, healAtMs - clock()), undefined, { signal });
  } finally {
    await heal(drill, injection);
  }
  await recover(drill, injection);
  const endMs = Math.max((marks.loadMs ?? 0) + durationMs, clock() + durationMs / 6);
  await delay(Math.max(0, endMs - clock()), undefined, { signal });
}

async function inject({ phase, options, plan, marks, clock }: Drill, { fault, target, undo }: Injection): Promise<void> {
  phase('fault', `${fault.name} of ${plan.region}`);
  await writeEntry(options.stateDir, {
    schema: 'kbf-fault/1', run: plan.run, fault: fault.name, region: plan.region, ref: target.ref, undo, at: new Date().toISOString(),
  });
  marks.injectMs = clock();
  await fault.inject(target, undo);
}

/** Waits for the effect as seen from outside: first in the cluster, then in who answers. */
async function takeHold({ phase, plan, marks, clock, live, signal }: Drill, { fault, target, undo }: Injection): Promise<void> {
  phase('observe');
  const asked = { timeoutMs: takeHoldTimeoutMs, everyMs: askEveryMs, signal };
  if (!await poll(() => fault.isEffective(target, undo), asked)) return;
  const effectiveMs = clock();
  const silentSince = (): number => Math.max(effectiveMs, live.lastServedMs(plan.region));
  // Whether others answer meanwhile is no condition: where nobody does, the fault took hold and failover did not.
  const longEnoughMs = Math.max(silence.ms, silence.requests * 1000 / plan.rate);
  if (await poll(() => Promise.resolve(clock() - silentSince() >= longEnoughMs), asked)) marks.tookHoldMs = silentSince();
}

/** Ignores the signal on purpose: an interrupted drill heals as well. */
async function heal(drill: Drill, { fault, target, undo }: Injection): Promise<void> {
  const { phase, plan, options, marks, clock } = drill;
  phase('heal');
  marks.healMs = clock();
  const patient = { timeoutMs: 30_000, everyMs: 500, signal: new AbortController().signal };
  try {
    await poll(async () => {
      await fault.heal(target, undo);
      return true;
    }, patient);
    await removeEntry(options.stateDir, plan.run);
  } catch (error) {
    throw new NotHealed(drill, error);
  }
}

async function recover({ phase, plan, marks, clock, live, signal }: Drill, { fault, target, undo }: Injection): Promise<void> {
  phase('recover');
  const healMs = marks.healMs ?? 0;
  const asked = { timeoutMs: recoverTimeoutMs, everyMs: askEveryMs, signal };
  if (!await poll(() => fault.isHealed(target, undo), asked)) return;
  const serves = await live.until(() => live.okSince(healMs).some(({ region, sentMs = 0 }) => region === plan.region && sentMs > healMs), recoverTimeoutMs, signal);
  if (serves) marks.recoveredMs = clock();
}
