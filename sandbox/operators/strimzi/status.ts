import { isDeepStrictEqual } from 'node:util';
import type { Condition, Failure, Resource } from './model.ts';
import { knownFields, unhonoured } from './unhonoured.ts';

/** A warning beside Ready. */
export function warning(reason: string, message: string): Condition {
  return { type: 'Warning', status: 'True', reason, message };
}

/** Names the fields that say something and are not honoured by this stand-in; nothing is ignored silently. */
export function unhonouredWarnings(resource: Resource<unknown>, kind: keyof typeof knownFields): Condition[] {
  const paths = unhonoured(resource.spec, knownFields[kind]);
  return paths.length === 0 ? [] : [warning('UnhonouredFields', `This stand-in for the Strimzi operator does not honour: ${paths.join(', ')}`)];
}

/** The status after a reconciliation; there is never a Ready condition that is False. */
export function finished(resource: Resource<unknown>, warnings: readonly Condition[], fields: Record<string, unknown>, failure?: Failure): Record<string, unknown> {
  const last: Condition = failure === undefined ? { type: 'Ready', status: 'True' } : { type: 'NotReady', status: 'True', reason: failure.reason, message: failure.message };
  const now = new Date().toISOString();
  return {
    conditions: [...warnings, last].map((condition) => ({ ...condition, lastTransitionTime: now })),
    observedGeneration: resource.metadata.generation ?? 0,
    ...fields,
  };
}

/** Whether a status says anything new: like the real operator, the time of a condition alone is nothing new. */
export function differs(before: Resource<unknown>['status'], after: Record<string, unknown>): boolean {
  return !isDeepStrictEqual(withoutTimes(before ?? {}), withoutTimes(after));
}

function withoutTimes(status: Record<string, unknown>): Record<string, unknown> {
  const conditions = ((status['conditions'] ?? []) as Condition[]).map((condition) => ({ ...condition, lastTransitionTime: undefined }));
  // As it travels: what is undefined is not there.
  return JSON.parse(JSON.stringify({ ...status, conditions })) as Record<string, unknown>;
}
