import type { EnvoyFilter } from '../images/sidecar-filters.ts';
import { unhonoured } from '../images/sidecar-filters.ts';
import type { Api } from './api.ts';
import type { Recorder } from './events.ts';
import { inform } from './informer.ts';
import type { Stored } from './types.ts';

type StoredFilter = EnvoyFilter & Stored;

/** The EnvoyFilters of one cluster, for its sidecars. */
export class MeshFilters {
  readonly #followers = new Set<(filters: Iterable<EnvoyFilter>) => void>();
  #items: ReadonlyMap<string, StoredFilter> = new Map();

  get all(): Iterable<EnvoyFilter> {
    return this.#items.values();
  }

  /** Begins to watch, until the signal. A cluster that knows no EnvoyFilters yet is asked again. */
  watch(api: Api, { recorder, signal }: { recorder: Recorder; signal: AbortSignal }): void {
    const tell = () => { for (const follower of this.#followers) follower(this.all); };
    this.#items = inform<StoredFilter>(api, {
      path: '/apis/networking.istio.io/v1alpha3/envoyfilters', failed: () => undefined, deleted: tell,
      changed: (filter) => {
        const fields = unhonoured(filter);
        if (fields.length > 0) recorder.event({ ...filter, apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter' }, 'Warning', 'NotHonoured', `The sandbox's sidecars take only merges into clusters and connection managers of SIDECAR_INBOUND by port: ${fields.join(', ')} has no effect on them`);
        tell();
      },
    }, signal).items;
  }

  /** Tells of all filters now and whenever one changes. @returns What ends that. */
  follow(follower: (filters: Iterable<EnvoyFilter>) => void): () => void {
    this.#followers.add(follower);
    follower(this.all);
    return () => { this.#followers.delete(follower); };
  }
}
