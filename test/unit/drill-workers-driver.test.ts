import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { Cluster } from '../../automation/drill/cluster.ts';
import { startClock } from '../../automation/drill/exchange.ts';
import { healLeftovers, sentenceOf } from '../../automation/drill/faults/journal.ts';
import { defaultConsumers, defaultLoad } from '../../automation/drill/load-plan.ts';
import type { Attempt } from '../../automation/drill/records.ts';
import { mustAllowWorkers, Workers } from '../../automation/drill/workers/index.ts';
import type { WorkersOptions } from '../../automation/drill/workers/index.ts';
import type { Told, WorkerMessage, WorkerWord } from '../../automation/drill/workers/protocol.ts';
import { startFakeCluster } from '../fixtures/fake-cluster.ts';
import type { FakeCluster } from '../fixtures/fake-cluster.ts';

const jobs = '/apis/batch/v1/namespaces/ns/jobs';
const configMaps = '/api/v1/namespaces/ns/configmaps';
const region = { name: 'c', context: 'c', namespace: 'ns', bridge: 'b' };
const refs = { run: 'r', region, regions: [region], lease: { context: 'c', namespace: 'ns' }, forSeconds: 1 };

describe('the workers of a drill', () => {
  let api: FakeCluster;
  let topics: Map<string, unknown[]>;
  let attempts: Attempt[];
  let options: WorkersOptions;
  let unreadable = 0;
  /** Why topics of theirs stay. */
  let left: unknown[];
  let stateDir: string;

  beforeEach(async () => {
    api = await startFakeCluster('c');
    stateDir = await mkdtemp(path.join(tmpdir(), 'kbf-workers-'));
    for (const [file, object] of [[jobs, { metadata: { uid: 'u' } }], [configMaps, {}], [`${jobs}/kbf-drill-r`, {}], ['/apis', { groups: [] }]] as const) api.objects.set(file, object);
    topics = new Map();
    attempts = [];
    unreadable = 0;
    left = [];
    const bounds = (topic: string) => Promise.resolve(new Map([[0, { begin: 0n, end: BigInt(topics.get(topic)?.length ?? 0) }]]));
    options = {
      cluster: new Cluster(api.kubeconfig, 'c'), namespace: 'ns', stateDir, refs, clock: startClock(), signal: new AbortController().signal, onAttempt: (attempt) => attempts.push(attempt), onLeft: (error) => left.push(error),
      settings: {
        tier1: { tier1Address: '10.0.0.9' }, hostname: 'h', regions: [], proxiesRepeat: false,
        plan: {
          run: 'r', fault: 'none', region: 'east', rate: 100, durationSeconds: 10, connections: 8, requestTimeoutMs: 5000, topic: 't', partitions: 3, keys: 6, seed: 1, steps: [],
          consumers: defaultConsumers, load: { ...defaultLoad, workers: 2 },
        },
      },
      kafka: {
        createTopic: (topic) => Promise.resolve(void topics.set(topic, [])),
        deleteTopic: (topic) => Promise.resolve(void topics.delete(topic)),
        bounds: (topic) => (unreadable-- > 0 ? Promise.reject(new Error('no leader')) : bounds(topic)),
        async* values(topic, [[, { begin, end }] = [0, { begin: 0n, end: 0n }]]) {
          await Promise.resolve();
          for (let offset = Number(begin); offset < Number(end); offset += 1) yield { offset, value: topics.get(topic)?.[offset] };
        },
      } as WorkersOptions['kafka'],
      dispatcher: { dispatch: bridge },
    };
  });
  afterEach(async () => {
    await api[Symbol.asyncDispose]();
    await rm(stateDir, { recursive: true, force: true });
  });

  const journal = (): Promise<string[]> => readdir(path.join(stateDir, 'faults')).catch(() => []);

  /** Writes what it is sent to the topic, as a bridge does. */
  function bridge({ path: topic, body }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const controller = {} as Dispatcher.DispatchController;
    const { records: [{ value }] } = JSON.parse(String(body)) as { records: [{ value: unknown }] };
    const offset = (topics.get(topic.replace('/topics/', ''))?.push(value) ?? 0) - 1;
    if (topic === '/topics/t-control') hear(value as Told);
    handler.onRequestStart?.(controller, undefined);
    handler.onResponseStart?.(controller, 200, {}, 'OK');
    handler.onResponseData?.(controller, Buffer.from(JSON.stringify({ offsets: [{ partition: 0, offset }] })));
    handler.onResponseEnd?.(controller, {});
    return true;
  }

  /** So many parts each worker has said. */
  let parts: number[];
  function say(worker: number, ...words: WorkerWord[]): void {
    for (const word of words) {
      topics.get('t-results')?.push({ run: 'r', worker, part: parts[worker] ?? 0, ...word } satisfies WorkerMessage);
      parts[worker] = (parts[worker] ?? 0) + 1;
      if (word.kind === 'ended') deaf.add(worker);
    }
  }
  /** By how much each worker's clock is ahead; those in `deaf` do not hear the driver, or not any more. */
  let aheadMs: number[];
  let deaf: Set<number>;
  beforeEach(() => {
    parts = [0, 0];
    aheadMs = [0, 0];
    deaf = new Set();
  });
  /** What every worker does that hears the driver. */
  function hear({ when, saidMs, start }: Told): void {
    for (const worker of [0, 1].filter((each) => !deaf.has(each))) {
      const nowMs = options.clock() + (aheadMs[worker] ?? 0);
      if (start === undefined) say(worker, { kind: 'clock', when, saidMs: nowMs, laterMs: nowMs - saidMs });
      else aheadMs[worker] = (aheadMs[worker] ?? 0) - (start.aheadMs[worker] ?? 0);
    }
  }
  /** Workers that are ready. */
  async function started(signal = options.signal): Promise<Workers> {
    const starting = Workers.start({ ...options, signal });
    while (!topics.has('t-results')) await new Promise(setImmediate);
    for (const worker of [0, 1]) say(worker, { kind: 'ready' });
    return await starting;
  }

  const attempt = (worker: number, seq: number): Attempt => ({ producer: `w${worker}`, seq, attempt: 0, key: 'k', intendedMs: 0, issuedMs: 0, endMs: 0, outcome: 'ok', class: 'ok' });

  it('are made, told when to begin, ended, and heard to the last of what they have to say; nothing is left behind', async () => {
    unreadable = 2;
    const workers = await started();
    assert.deepEqual(await journal(), ['r.workers.json']);
    const now = options.clock();
    const startMs = await workers.begin();
    assert.ok(startMs > now);
    const last = topics.get('t-control')?.at(-1) as Told;
    assert.equal(last.start?.startMs, startMs);
    say(0, { kind: 'attempts', attempts: [attempt(0, 0), attempt(0, 1)] }, { kind: 'ended' });
    const finishing = workers.finish();
    say(1, { kind: 'attempts', attempts: [attempt(1, 0)] }, { kind: 'ended' });
    assert.equal(await finishing, undefined);
    assert.deepEqual(attempts.map(({ producer, seq }) => `${producer}/${seq}`).sort(), ['w0/0', 'w0/1', 'w1/0']);
    await workers.close();
    assert.equal(topics.size, 0);
    assert.deepEqual(await journal(), []);
    assert.deepEqual([...new Set(api.requests)], ['GET /apis', `POST ${jobs}`, `POST ${configMaps}`, `DELETE ${jobs}/kbf-drill-r?propagationPolicy=Background`]);
  });

  it('are told by how much their clocks are ahead, and what is left of that after the load is known', async () => {
    aheadMs = [90_000, -3_600_000];
    const workers = await started();
    await workers.begin();
    const { start } = topics.get('t-control')?.at(-1) as Told;
    // To a part of a second, as nobody hears at once.
    for (const [worker, ahead] of [90_000, -3_600_000].entries()) assert.ok(Math.abs((start?.aheadMs[worker] ?? 0) - ahead) < 500, `${start?.aheadMs}`);
    const finishing = workers.finish();
    await delay(1_000);
    for (const worker of [0, 1]) say(worker, { kind: 'ended' });
    assert.equal(await finishing, undefined);
    assert.ok((workers.clocksMs ?? Infinity) < 500, `${workers.clocksMs}`);
    await workers.close();
  });

  it('whose clock went away from the driver\'s during the load are found out, and so are those of which that is not known', async () => {
    for (const [change, isFound] of [
      [() => { aheadMs[1] = (aheadMs[1] ?? 0) + 2_000; }, (ms: number | undefined) => ms !== undefined && ms >= 2_000 - 500 && ms < 3_000],
      [() => { deaf.add(1); }, (ms: number | undefined) => ms === undefined],
    ] as const) {
      parts = [0, 0];
      deaf.clear();
      const workers = await started();
      await workers.begin();
      change();
      const finishing = workers.finish();
      await delay(1_000);
      for (const worker of [0, 1]) say(worker, { kind: 'ended' });
      assert.equal(await finishing, undefined);
      assert.ok(isFound(workers.clocksMs), `${workers.clocksMs}`);
      await workers.close();
    }
  });

  it('that do not tell their time are not begun with', async () => {
    deaf.add(1);
    await assert.rejects(started(), { name: 'UserError', message: 'not every worker told its time within 10 s' });
    assert.match(api.requests.at(-1) ?? '', /^DELETE/);
  });

  it('are refused with exit code 2 where they may not be made', async () => {
    api.allows = ({ resource, verb }) => resource !== 'jobs' || verb !== 'create';
    await assert.rejects(mustAllowWorkers(options), { name: 'UserError', exitCode: 2, message: /may not create jobs in namespace ns/ });
    assert.deepEqual([api.requests, topics.size], [[], 0]);
  });

  it('that nobody answered for stay in the journal, by which they are ended', async () => {
    api.statuses.set(jobs, 504);
    await assert.rejects(Workers.start(options), { message: /^Job ns\/kbf-drill-r cannot be made in cluster c: 504/ });
    assert.deepEqual(await journal(), ['r.workers.json']);
    const [healed] = await healLeftovers({ stateDir, kubeconfig: api.kubeconfig });
    assert.match(healed === undefined ? '' : sentenceOf(healed), /^workers of .* on Job ns\/kbf-drill-r in cluster c: healed$/);
    assert.deepEqual([api.requests.at(-1), await journal()], [`DELETE ${jobs}/kbf-drill-r?propagationPolicy=Background`, []]);
  });

  it('whose Job cannot be deleted stay in the journal, and are over once it is gone', async () => {
    const workers = await started();
    api.statuses.set(`${jobs}/kbf-drill-r`, 500);
    await workers.close();
    assert.deepEqual(await journal(), ['r.workers.json']);
    api.statuses.clear();
    api.objects.delete(`${jobs}/kbf-drill-r`);
    assert.deepEqual((await healLeftovers({ stateDir, kubeconfig: api.kubeconfig })).map(({ now }) => now), ['over']);
  });

  it('tell of topics of theirs that stay behind', async () => {
    const workers = await started();
    options.kafka.deleteTopic = (topic) => (topic === 't-results' ? Promise.reject(new Error(`${topic} cannot be deleted`)) : Promise.resolve());
    await workers.close();
    assert.deepEqual([left, await journal()], [[new Error('t-results cannot be deleted')], []]);
  });

  it('know a region by the addresses of its gateway, where that has a host name', async () => {
    options.settings.regions = [{ name: 'west', gatewayAddress: 'localhost' }];
    let told: string | undefined;
    options.cluster.batch.createNamespacedJob = ({ body }) => {
      told = body.spec?.template.spec?.containers[0]?.env?.[0]?.value;
      return Promise.reject(new Error('enough'));
    };
    await assert.rejects(Workers.start(options), /enough/);
    const { regions } = JSON.parse(told ?? '') as { regions: { name: string; gatewayAddress: string }[] };
    assert.ok(regions.length > 0 && regions.every(({ name, gatewayAddress }) => name === 'west' && /^127\.0\.0\.1$|^\[::1\]$/.test(gatewayAddress)), told);
  });

  it('for which no topic could be made leave all Jobs alone', async () => {
    options.kafka.createTopic = () => Promise.reject(new Error('no broker'));
    await assert.rejects(Workers.start(options), { message: 'no broker' });
    assert.deepEqual([api.requests, await journal()], [[], []]);
  });

  it('that fail are named, and cleaned up', async () => {
    const starting = Workers.start(options);
    while (!topics.has('t-results')) await new Promise(setImmediate);
    say(0, { kind: 'ready' });
    say(1, { kind: 'ended', failure: 'no way' });
    await assert.rejects(starting, { name: 'UserError', message: /worker 1 ended: no way$/, remedy: /kubectl --context c --namespace ns get events .*kbf-drill-r/ });
    assert.equal(topics.size, 0);
    assert.match(api.requests.at(-1) ?? '', /^DELETE/);
  });

  it('that do not speak up are named with what their cluster says of their pods, as far as one may look', async () => {
    const [pods, events] = ['/api/v1/namespaces/ns/pods', '/api/v1/namespaces/ns/events'];
    const pod = (name: string, status: object): object => ({ metadata: { name }, status });
    const pending = (name: string, reason: string, message?: string): object => pod(name, { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason, message } } }] });
    const running = (name: string): object => pod(name, { phase: 'Running', containerStatuses: [{ state: { running: {} } }] });
    const event = (kind: string, name: string, message: string, lastTimestamp: string): object => ({ reason: 'Failed', message, lastTimestamp, involvedObject: { kind, name } });
    const saidOf = async (listed: { pods: object[]; events?: object[] } | 'forbidden'): Promise<string> => {
      for (const [at, items] of [[pods, listed === 'forbidden' ? [] : listed.pods], [events, listed === 'forbidden' ? [] : listed.events ?? []]] as const) {
        api.objects.set(at, { items });
        if (listed === 'forbidden') api.statuses.set(at, 403);
      }
      let nowMs = 0;
      topics.clear();
      const wrong = await Workers.start({ ...options, clock: () => (nowMs += 100_000) }).then(() => assert.fail('they started'), (error: unknown) => error as Error);
      assert.match(api.requests.at(-1) ?? '', /^DELETE/);
      return /^not every worker was ready \(they have 180 s\): worker 0 did not speak up; worker 1 did not speak up(.*)$/.exec(wrong.message)?.[1] ?? wrong.message;
    };
    assert.equal(await saidOf({ pods: [running('w-0'), pending('w-1', 'ImagePullBackOff', 'Back-off pulling image "i"')] }), ' (pod ns/w-1: ImagePullBackOff: Back-off pulling image "i")');
    assert.ok(api.requests.includes(`GET ${pods}?labelSelector=kafka-bridge-failover%2Frun%3Dr`), api.requests.join());
    assert.equal(await saidOf({ pods: [], events: [event('Job', 'other', 'no', '2026-01-03T00:00:00Z'), event('Job', 'kbf-drill-r', 'must specify limits.cpu', '2026-01-02T00:00:00Z'), event('Job', 'kbf-drill-r', 'earlier', '2026-01-01T00:00:00Z')] }),
      ' (Job ns/kbf-drill-r: Failed: must specify limits.cpu)');
    assert.equal(await saidOf({ pods: [pod('w-0', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] })] }), ' (pod ns/w-0: Unschedulable: 0/3 nodes are available)');
    assert.equal(await saidOf({ pods: [pod('w-0', { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }] })] }), ' (pod ns/w-0: OOMKilled: exit code 137)');
    assert.equal(await saidOf({ pods: [pod('w-0', { phase: 'Failed', reason: 'Evicted', message: 'low on memory' })] }), ' (pod ns/w-0: Evicted: low on memory)');
    // What was wrong before they ran is over.
    const over = [event('Pod', 'w-0', 'configmap not found', '2026-01-01T00:00:00Z'), event('Job', 'kbf-drill-r', 'over', '2026-01-01T00:00:00Z')];
    assert.equal(await saidOf({ pods: [running('w-0'), pending('w-1', 'ContainerCreating')], events: [...over, event('Pod', 'w-1', 'no volume', '2026-01-01T00:00:00Z')] }), ' (pod ns/w-1: Failed: no volume)');
    assert.equal(await saidOf({ pods: [running('w-0'), running('w-1')], events: over }), '');
    assert.equal(await saidOf('forbidden'), '');
  });

  it('are heard out when the drill has ended itself, by who does not heed its signal', async () => {
    const ended = new AbortController();
    const workers = await started(ended.signal);
    ended.abort();
    await assert.rejects(workers.finish(), { name: 'AbortError' });
    say(0, { kind: 'attempts', attempts: [attempt(0, 0)] }, { kind: 'ended' });
    say(1, { kind: 'ended' });
    assert.equal(await workers.finish(new AbortController().signal), undefined);
    assert.equal(attempts.length, 1);
    await workers.close();
  });

  it('whose last word says that they failed make the results incomplete', async () => {
    const workers = await started();
    say(0, { kind: 'ended' });
    say(1, { kind: 'ended', failure: 'no way' });
    assert.equal(await workers.finish(), 'not all results of the workers could be gathered: worker 1 ended: no way');
    await workers.close();
  });
});
