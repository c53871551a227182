import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { messageOf } from '../../../errors.ts';
import { ApiError } from './connection.ts';
import type { Connection } from './connection.ts';

/** A kept copy of all objects of one kind in one cluster. */
export interface Watched {
  /** False until the first list came. */
  readonly synced: boolean;
  list(): KubernetesObject[];
}

export interface WatchOptions {
  readonly connection: Connection;
  /** Collection path, e.g. `/api/v1/services`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly onChange: () => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Lists, then follows changes, for as long as the signal lasts; the copy stays while the cluster cannot be reached. */
export function watchObjects(options: WatchOptions): Watched {
  const objects = new Map<string, KubernetesObject>();
  const state = { synced: false, version: '' };
  void follow(options, objects, state);
  return {
    get synced() {
      return state.synced;
    },
    list: () => [...objects.values()],
  };
}

interface State { synced: boolean; version: string }

const retryMs = { first: 200, most: 2000 };

/** Ends with the signal; errors are told once in a row and retried with a growing pause. */
async function follow(options: WatchOptions, objects: Map<string, KubernetesObject>, state: State): Promise<void> {
  const { connection, path, signal, log } = options;
  let pause = retryMs.first;
  while (!signal.aborted) {
    try {
      if (state.version === '') await relist(options, objects, state);
      for await (const { type, object } of connection.watch(`${path}?${query(options, { watch: 'true', allowWatchBookmarks: 'true', resourceVersion: state.version })}`, signal)) {
        if (type === 'ERROR') throw new ApiError(Number(object['code'] ?? 500), String(object['message'] ?? 'watch failed'));
        pause = retryMs.first;
        state.version = (object as KubernetesObject).metadata?.resourceVersion ?? state.version;
        if (type === 'BOOKMARK') continue;
        change(objects, type, object as KubernetesObject);
        options.onChange();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 410) state.version = ''; // too old: list anew
      else if (pause === retryMs.first) log(`${connection.context}: ${path}: ${messageOf(error)}; trying again`);
      await delay(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, retryMs.most);
    }
  }
}

async function relist(options: WatchOptions, objects: Map<string, KubernetesObject>, state: State): Promise<void> {
  const list = await options.connection.get(`${options.path}?${query(options, {})}`) as { kind: string; apiVersion: string; items: KubernetesObject[]; metadata: { resourceVersion: string } };
  objects.clear();
  const kind = list.kind.replace(/List$/, ''); // items of a list of a built-in kind do not say what they are
  for (const item of list.items) objects.set(key(item), { ...item, apiVersion: list.apiVersion, kind });
  state.version = list.metadata.resourceVersion;
  state.synced = true;
  options.onChange();
}

function change(objects: Map<string, KubernetesObject>, type: string, object: KubernetesObject): void {
  if (type === 'DELETED') objects.delete(key(object));
  else objects.set(key(object), object);
}

function query({ labelSelector }: WatchOptions, more: Record<string, string>): string {
  return new URLSearchParams({ ...more, ...(labelSelector === undefined ? {} : { labelSelector }) }).toString();
}

function key({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name}`;
}
