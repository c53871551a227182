import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './api.ts';
import { ApiError } from './api.ts';
import type { Stored } from './types.ts';

export interface InformerOptions<T> {
  /** Of the collection, for example `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Only metadata travels and is kept: for objects that are fetched when they matter. */
  readonly metadataOnly?: boolean;
  readonly changed: (object: T, before: T | undefined) => void;
  readonly deleted?: (object: T) => void;
  /** Told once per run of failures, for the log. */
  readonly failed: (error: unknown) => void;
}

/** A collection of a cluster, kept up to date by list and watch. */
export interface Informer<T> {
  /** By `namespace/name`, or `name` for what has no namespace. */
  readonly items: ReadonlyMap<string, T>;
  /** Resolves when the first list has been delivered; it is tried until then. */
  readonly synced: Promise<void>;
}

/** A watch that was cut off without a sign ends at the latest after this, and is then begun anew. */
const watchSeconds = 30;
const firstPauseMs = 100;
const longestPauseMs = 5000;

export function objectKey({ metadata: { namespace, name } }: Stored): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Begins to list and watch, until the signal. After failures it waits 0.1 s, doubling up to 5 s. */
export function inform<T extends Stored>(api: Api, o: InformerOptions<T>, signal: AbortSignal): Informer<T> {
  const items = new Map<string, T>();
  const synced = Promise.withResolvers<undefined>();
  void (async () => {
    let version: string | undefined;
    let pauseMs = 0;
    while (!signal.aborted) {
      try {
        if (version === undefined) {
          version = await list(api, o, items);
          synced.resolve(undefined);
        }
        const begun = performance.now();
        for await (const { type, object } of api.watch<T>(watchPath(o, version), watchSignal(signal), accept(o))) {
          version = object.metadata.resourceVersion;
          pauseMs = 0;
          if (type === 'DELETED') remove(items, o, object);
          else if (type !== 'BOOKMARK') put(items, o, object);
        }
        // A server that ends every watch at once must not be asked in a tight loop.
        if (performance.now() - begun > 1000) continue;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && error.code === 410) version = undefined;
        else if (pauseMs === 0 && !isTimeout(error)) o.failed(error);
      }
      pauseMs = Math.min(Math.max(pauseMs * 2, firstPauseMs), longestPauseMs);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  })();
  return { items, synced: synced.promise };
}

async function list<T extends Stored>(api: Api, o: InformerOptions<T>, items: Map<string, T>): Promise<string> {
  const answer = await api.call<{ metadata: { resourceVersion: string }; items: T[] | null }>('GET', `${o.path}?${selector(o)}`, { accept: accept(o, 'List') });
  const present = new Map((answer.items ?? []).map((object) => [objectKey(object), object]));
  for (const [key, object] of [...items]) {
    // One of the same name that was made anew is another object.
    if (present.get(key)?.metadata.uid !== object.metadata.uid) remove(items, o, object);
  }
  for (const object of present.values()) put(items, o, object);
  return answer.metadata.resourceVersion;
}

function put<T extends Stored>(items: Map<string, T>, o: InformerOptions<T>, object: T): void {
  const key = objectKey(object);
  const before = items.get(key);
  if (before?.metadata.resourceVersion === object.metadata.resourceVersion) return;
  items.set(key, object);
  guarded(o, () => { o.changed(object, before); });
}

function remove<T extends Stored>(items: Map<string, T>, o: InformerOptions<T>, object: T): void {
  if (items.delete(objectKey(object))) guarded(o, () => { o.deleted?.(object); });
}

/** One object that its handler stumbles over must not end the watch for all. */
function guarded<T>(o: InformerOptions<T>, handle: () => void): void {
  try {
    handle();
  } catch (error) {
    o.failed(error);
  }
}

function watchPath<T>(o: InformerOptions<T>, version: string): string {
  return `${o.path}?${selector(o)}watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${version}`;
}

function selector<T>({ fieldSelector }: InformerOptions<T>): string {
  return fieldSelector === undefined ? '' : `fieldSelector=${encodeURIComponent(fieldSelector)}&`;
}

function accept<T>({ metadataOnly }: InformerOptions<T>, suffix = ''): string {
  return metadataOnly === true ? `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1` : 'application/json';
}

function watchSignal(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout((watchSeconds + 10) * 1000)]);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
