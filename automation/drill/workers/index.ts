import { setTimeout as delay } from 'node:timers/promises';

import type { Dispatcher } from 'undici';

import { userGivingGroup } from '../../../config/pod-security.ts';
import { shellWord } from '../../../config/shell-word.ts';
import { messageOf, UserError } from '../../../errors.ts';
import { byAddress } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import { mediaType } from '../content.ts';
import { exchange } from '../exchange.ts';
import type { Clock } from '../exchange.ts';
import { removeEntry, writeEntry } from '../faults/journal.ts';
import type { TargetRefs } from '../faults/target.ts';
import type { Kafka } from '../kafka.ts';
import { judgeProduce } from '../outcome.ts';
import type { Attempt } from '../records.ts';
import { Gathered } from './gathered.ts';
import { workerObjects } from './job.ts';
import { endWorkers, workersEntry } from './left.ts';
import type { WorkersLeft } from './left.ts';
import { whyNotRunning } from './not-running.ts';
import { topicsOf } from './protocol.ts';
import type { Start, Told, When, WorkerSettings } from './protocol.ts';

/** An image may have to be pulled by each node first. */
const readyWithinMs = 180_000;
const doneWithinMs = 120_000;
const readEveryMs = 500;
/** So often driver and workers tell each other their time, so often results are read then, and so precisely a clock is to be known, within the time that there is. */
const clocks = { everyMs: 200, readEveryMs: 50, knownMs: 40, withinMs: 10_000 };
/** From the driver's word to the load's begin: long enough for every worker to have read it. */
const startInMs = 2_000;

export interface WorkersOptions {
  /** Where the pods are made. */
  cluster: Cluster;
  namespace: string;
  kafka: Pick<Kafka, 'createTopic' | 'deleteTopic' | 'bounds' | 'values'>;
  settings: Omit<WorkerSettings, 'beganAt'>;
  /** Where they are journaled, and what says whose they are. */
  stateDir: string;
  refs: TargetRefs;
  clock: Clock;
  /** To tier1. */
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** Called with what the workers attempted, in no order, from some hundred ms up to minutes after it ended. */
  onAttempt: (attempt: Attempt) => void;
  /** Called with why a topic of theirs stays in Kafka. */
  onLeft: (error: unknown) => void;
  signal: AbortSignal;
}

/** Throws a UserError (2) that names what the credentials may not do. */
export async function mustAllowWorkers({ cluster, namespace }: Pick<WorkersOptions, 'cluster' | 'namespace'>): Promise<void> {
  await cluster.mustAllow(['jobs', 'configmaps'].flatMap((resource) => ['create', 'delete'].map((verb) => ({ verb, group: resource === 'jobs' ? 'batch' : '', resource, namespace }))));
}

/** Producers as the pods of an Indexed Job, for loads that outgrow the driver's machine. They report through Kafka, so that nobody has to reach them. */
export class Workers {
  readonly #o: WorkersOptions;
  readonly #gathered: Gathered;
  readonly #over = new AbortController();
  readonly #topics: { control: string; results: string };
  #reading: Promise<void> = Promise.resolve();
  /** Absent until it is asked for. */
  #job: string | undefined;
  #isMade = false;
  #comparing = false;
  /** The last reason why results could not be read. */
  #unread: string | undefined;

  private constructor(options: WorkersOptions) {
    const { settings: { plan }, onAttempt } = options;
    this.#o = options;
    this.#topics = topicsOf(plan);
    this.#gathered = new Gathered(plan.run, plan.load.workers, onAttempt);
  }

  /** Throws a UserError where they cannot be made, or are not ready in time. Cleans up after itself then. */
  static async start(options: WorkersOptions): Promise<Workers> {
    const workers = new Workers(options);
    try {
      for (const topic of Object.values(workers.#topics)) await options.kafka.createTopic(topic, { partitions: 1, replicas: 3, minInsyncReplicas: 2 });
      await workers.#makeJob();
      workers.#reading = workers.#read();
      await workers.#until(() => workers.#gathered.notReady === undefined || workers.#gathered.failed, readyWithinMs);
      if (workers.#gathered.notReady !== undefined) throw await workers.#notReady(workers.#gathered.notReady);
      await workers.#compareClocks('before', () => workers.#gathered.ahead.errorMs <= clocks.knownMs, clocks.withinMs);
      if (!Number.isFinite(workers.#gathered.ahead.errorMs)) throw new UserError(`not every worker told its time within ${clocks.withinMs / 1000} s`, { remedy: `see that every region serves consumers, and ${workers.#lookAtEvents}` });
      return workers;
    } catch (error) {
      await workers.close();
      throw error;
    }
  }

  /** Gives the instant of the drill's clock, a little ahead, at which all of them begin. Throws a UserError when they cannot be told. */
  async begin(): Promise<number> {
    const { clock } = this.#o;
    const startMs = Math.ceil(clock() + startInMs);
    const { aheadMs } = this.#gathered.ahead;
    // Written again where that is not known to have succeeded: it says the same.
    while (!await this.#tell('before', { startMs, aheadMs })) {
      if (clock() > startMs - startInMs / 2) throw new UserError('the workers could not be told to begin: no bridge wrote it');
    }
    return startMs;
  }

  /** Ends their load and gathers what they have to say, unless `signal` is aborted: the drill's, if it is not given. Gives what is missing of it, or undefined. */
  async finish(signal = this.#o.signal): Promise<string | undefined> {
    await this.#deleteJob();
    await this.#compareClocks('after', () => this.#gathered.complete, doneWithinMs, signal);
    const { missing } = this.#gathered;
    return missing === undefined ? undefined : `not all results of the workers could be gathered: ${missing}${this.#unread === undefined ? '' : ` (${this.#unread})`}`;
  }

  /** How far a worker's times may be off the driver's at most, ms; undefined where that could not be found out. Known once they have finished. */
  get clocksMs(): number | undefined {
    return this.#gathered.clocksMs;
  }

  /** Leaves nothing behind, but in the journal what may be there all the same. Safe to repeat. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#reading;
    const [ended, ...topics] = await Promise.allSettled([this.#deleteJob(), ...Object.values(this.#topics).map((topic) => this.#o.kafka.deleteTopic(topic))]);
    for (const topic of topics) if (topic.status === 'rejected') this.#o.onLeft(topic.reason);
    // A Job whose making failed may still come about.
    if (ended.status === 'fulfilled' && this.#isMade) await removeEntry(this.#o.stateDir, this.#entry);
  }

  /** Tells the workers the time, who tell theirs, until that is enough or took too long. */
  async #compareClocks(when: When, isEnough: () => boolean, timeoutMs: number, signal = this.#o.signal): Promise<void> {
    const { clock } = this.#o;
    this.#comparing = true;
    try {
      for (const deadline = clock() + timeoutMs; !isEnough() && clock() < deadline;) {
        await this.#tell(when);
        await delay(clocks.everyMs, undefined, { signal });
      }
    } finally {
      this.#comparing = false;
    }
  }

  /** Asks why, as nobody can look any more once the Job is deleted. Of those that spoke that is known. */
  async #notReady(who: string): Promise<UserError> {
    const { cluster, namespace, settings: { plan: { run, load: { workers } } } } = this.#o;
    const why = this.#gathered.failed || this.#job === undefined ? undefined : await whyNotRunning(cluster, { namespace, job: this.#job, run, workers });
    return new UserError(`not every worker was ready (they have ${readyWithinMs / 1000} s): ${who}${why === undefined ? '' : ` (${why})`}`, { remedy: this.#lookAtEvents });
  }

  get #lookAtEvents(): string {
    const { cluster: { context }, namespace } = this.#o;
    return `look at what became of their pods, which are deleted: kubectl --context ${shellWord(context)} --namespace ${namespace} get events (Job ${String(this.#job)})`;
  }

  /** Whether it was certainly written. */
  async #tell(when: When, start?: Start): Promise<boolean> {
    const { dispatcher, settings: { hostname, plan: { run } }, clock } = this.#o;
    const value: Told = { run, when, saidMs: clock(), ...(start === undefined ? {} : { start }) };
    const request = { method: 'POST' as const, host: hostname, path: `/topics/${this.#topics.control}`, headers: { 'content-type': mediaType('json') }, timeoutMs: startInMs };
    return judgeProduce(await exchange(dispatcher, { ...request, body: JSON.stringify({ records: [{ value }] }) }, clock)).outcome === 'ok';
  }

  async #makeJob(): Promise<void> {
    const { cluster, namespace, settings, clock } = this.#o;
    const { job, configMap } = workerObjects({ ...settings, regions: await byAddress(settings.regions), beganAt: Date.now() - clock() }, namespace, await givesUsers(cluster));
    const name = job.metadata?.name ?? '';
    await this.#note(name);
    this.#job = name;
    const made = await cluster.ask(`Job ${namespace}/${name} cannot be made`, () => cluster.batch.createNamespacedJob({ namespace, body: job }));
    this.#isMade = true;
    // Its pods wait for the program, and take it with them when they go.
    const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: made.metadata?.uid ?? '' }];
    await cluster.ask(`ConfigMap ${namespace}/${name} cannot be made`, () => cluster.core.createNamespacedConfigMap({ namespace, body: { ...configMap, metadata: { ...configMap.metadata, ownerReferences } } }));
  }

  get #entry(): string {
    return `${this.#o.settings.plan.run}.${workersEntry}`;
  }

  /** In the journal before it is asked for: nobody but `kbf faults heal` or the next drill ends the load of a driver that was killed. */
  async #note(name: string): Promise<void> {
    const { cluster: { context }, namespace, stateDir, refs } = this.#o;
    const undo: WorkersLeft = { context, namespace, name };
    await writeEntry(stateDir, { schema: 'kbf-fault/2', run: this.#entry, fault: workersEntry, target: `Job ${namespace}/${name} in cluster ${context}`, refs, undo, at: new Date().toISOString() });
  }

  async #deleteJob(): Promise<void> {
    // Without a name all the namespace's Jobs would be meant.
    if (this.#job !== undefined) await endWorkers(this.#o.cluster, { namespace: this.#o.namespace, name: this.#job });
  }

  /** Takes what is new in the results, again and again. A broker that does not answer now may be what the drill is about. */
  async #read(): Promise<void> {
    const { kafka } = this.#o;
    let next = 0n;
    while (!this.#over.signal.aborted) {
      try {
        const { end = 0n } = (await kafka.bounds(this.#topics.results)).get(0) ?? {};
        for await (const { offset, value } of kafka.values(this.#topics.results, new Map([[0, { begin: next, end }]]))) {
          this.#gathered.take(value, this.#o.clock());
          next = BigInt(offset) + 1n;
        }
        this.#unread = undefined;
      } catch (error) {
        this.#unread = messageOf(error);
      }
      await delay(this.#comparing ? clocks.readEveryMs : readEveryMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  async #until(condition: () => boolean, timeoutMs: number, signal = this.#o.signal): Promise<void> {
    const { clock } = this.#o;
    for (const deadline = clock() + timeoutMs; !condition() && clock() < deadline;) await delay(readEveryMs, undefined, { signal });
  }
}

/** Whether the cluster says itself as which user a pod runs, as OpenShift does. */
async function givesUsers(cluster: Cluster): Promise<boolean> {
  return await cluster.serves(userGivingGroup);
}
