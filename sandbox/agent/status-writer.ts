import type { Api } from './api.ts';
import { isOutdated, untilAnswered } from './retry.ts';
import type { Pod, PodStatus } from './types.ts';

/** Writes one pod's status to the API: the newest, one at a time, until it is there. */
export class StatusWriter {
  readonly #api: Api;
  readonly #path: string;
  readonly #uid: string;
  readonly #closed = new AbortController();
  #next: PodStatus | undefined;
  #newest = '';
  #writing: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(api: Api, pod: Pod) {
    this.#api = api;
    this.#path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
    this.#uid = pod.metadata.uid;
  }

  write(status: PodStatus): void {
    const text = JSON.stringify(status);
    if (text === this.#newest) return;
    this.#newest = text;
    this.#next = status;
    if (this.#busy || this.#closed.signal.aborted) return;
    this.#busy = true;
    // What changes in the same moment travels together.
    this.#writing = Promise.resolve().then(() => this.#drain()).finally(() => { this.#busy = false; });
  }

  /** Resolves when what was written last is in the API, or the pod is gone. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Removes the object at once, as a kubelet does when nothing of a deleted pod is left. */
  async remove(): Promise<void> {
    await this.#untilDone(() => this.#api.call('DELETE', this.#path, { body: { gracePeriodSeconds: 0, preconditions: { uid: this.#uid } } }));
    this.close();
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed.abort();
  }

  async #drain(): Promise<void> {
    while (this.#next !== undefined && !this.#closed.signal.aborted) {
      const status = this.#next;
      this.#next = undefined;
      // The uid makes the API server refuse it for a later pod of the same name.
      const podIPs = status.podIPs === undefined ? {} : { podIPs: [{ $patch: 'replace' }, ...status.podIPs] };
      const body = { metadata: { uid: this.#uid }, status: { ...status, ...podIPs } };
      await this.#untilDone(() => this.#api.call('PATCH', `${this.#path}/status`, { body, contentType: 'application/strategic-merge-patch+json' }), () => this.#next !== undefined);
    }
  }

  async #untilDone(attempt: () => Promise<unknown>, pointless: () => boolean = () => false): Promise<void> {
    const refusal = await untilAnswered(attempt, { signal: this.#closed.signal, what: this.#path, pointless });
    if (refusal === undefined) return;
    // Gone, or another one of its name by now.
    if (isOutdated(refusal)) this.close();
    else console.error(`${this.#path}: ${refusal.message}`);
  }
}
