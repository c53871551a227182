import { randomBytes } from 'node:crypto';
import type { Api } from './api.ts';
import { ApiError } from './api.ts';
import type { Stored } from './types.ts';

/** Writes events about objects of one cluster. */
export interface Recorder {
  /** Never fails and never waits: an event that cannot be written is a line in the log. */
  event(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** `fieldPath` says which part of the object, such as a pod's container. */
export type EventSubject = Stored & { readonly kind: string; readonly fieldPath?: string };

interface Written { readonly name: string; count: number; lastAt: number }

/** Repetitions of an event raise its count, and no more often than this. */
const repeatMs = 10_000;
/** So many different events are known again. */
const remembered = 500;

/** @param component Who speaks, as `kubectl describe` shows it. */
export function eventRecorder(api: Api, component: string, host: string): Recorder {
  const known = new Map<string, Written>();
  const write = async (about: EventSubject, body: Record<string, unknown>, key: string) => {
    const namespace = about.metadata.namespace ?? 'default';
    const path = `/api/v1/namespaces/${namespace}/events`;
    const now = new Date().toISOString();
    const before = known.get(key);
    if (before !== undefined) {
      before.count += 1;
      if (Date.now() - before.lastAt < repeatMs) return;
      before.lastAt = Date.now();
      await api.call('PATCH', `${path}/${before.name}`, { contentType: 'application/merge-patch+json', body: { count: before.count, lastTimestamp: now } });
      return;
    }
    const name = `${about.metadata.name}.${randomBytes(8).toString('hex')}`;
    known.set(key, { name, count: 1, lastAt: Date.now() });
    for (const oldest of known.keys()) if (known.size > remembered) known.delete(oldest);
    await api.call('POST', path, { body: { ...body, metadata: { name, namespace }, firstTimestamp: now, lastTimestamp: now, count: 1 } });
  };
  return {
    event(about, type, reason, message) {
      const { kind, fieldPath, apiVersion = 'v1', metadata: { name, namespace, uid } } = about;
      const text = message.slice(0, 1000);
      const body = {
        type, reason, message: text, source: { component, host }, reportingComponent: component, reportingInstance: host,
        involvedObject: { kind, apiVersion, name, namespace, uid, ...(fieldPath === undefined ? {} : { fieldPath }) },
      };
      const key = [uid, fieldPath, reason, text].join('\n');
      write(about, body, key).catch((error: unknown) => {
        // A namespace that is going takes no events; one that has gone neither.
        if (error instanceof ApiError && [403, 404].includes(error.code)) return;
        known.delete(key);
        console.error(`event ${reason} on ${kind} ${namespace ?? ''}/${name} was not written: ${String(error)}`);
      });
    },
  };
}
